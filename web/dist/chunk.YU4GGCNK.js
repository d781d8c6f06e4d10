import{a,b,c}from"./chunk.Q3A27YMG.js";import"./chunk.ALL35JHJ.js";import"./chunk.OYICW57A.js";export{a as default,c as readTime,b as stamp};
