import{a,b,c}from"./chunk.7YCFPGTC.js";import"./chunk.WTXXNUZ6.js";import"./chunk.DOOIVK4Z.js";export{a as default,c as readTime,b as stamp};
