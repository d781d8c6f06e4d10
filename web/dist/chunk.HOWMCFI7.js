import{a,b,c}from"./chunk.Z6SZBEQA.js";import"./chunk.7PWUFLPQ.js";import"./chunk.7GMDV45P.js";export{a as default,c as readTime,b as stamp};
