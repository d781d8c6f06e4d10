import{a,b,c}from"./chunk.LCLEG646.js";import"./chunk.W4AAGYNG.js";import"./chunk.BSJQMUQL.js";export{a as default,c as readTime,b as stamp};
