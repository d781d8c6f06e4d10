import{a,b,c}from"./chunk.4GAZNSPA.js";import"./chunk.7PWUFLPQ.js";import"./chunk.7GMDV45P.js";export{a as default,b as tempoOf,c as transposed};
