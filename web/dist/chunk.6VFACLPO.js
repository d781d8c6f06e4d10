import{a,b,c}from"./chunk.WZHXGFIU.js";import"./chunk.GQFJOUIF.js";import"./chunk.2YBYZQDR.js";export{a as default,b as tempoOf,c as transposed};
