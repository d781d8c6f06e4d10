import{a,b,c}from"./chunk.BBKSZHIN.js";import"./chunk.GQFJOUIF.js";import"./chunk.2YBYZQDR.js";export{a as default,c as readTime,b as stamp};
