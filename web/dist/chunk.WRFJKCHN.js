import{a,b,c}from"./chunk.ES6HFZZC.js";import"./chunk.644I7SDI.js";import"./chunk.X35T3MUM.js";export{a as default,c as readTime,b as stamp};
