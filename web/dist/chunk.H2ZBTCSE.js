import{a,b,c}from"./chunk.XW4AXWXV.js";import"./chunk.YBTUHSBW.js";import"./chunk.ZNCX4VY3.js";export{a as default,c as readTime,b as stamp};
