import{a,b,c}from"./chunk.ZTVKL3P3.js";import"./chunk.YBTUHSBW.js";import"./chunk.ZNCX4VY3.js";export{a as default,c as readTime,b as stamp};
