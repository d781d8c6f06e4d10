import{a,b,c}from"./chunk.U36TDYKC.js";import"./chunk.ALL35JHJ.js";import"./chunk.OYICW57A.js";export{a as default,b as tempoOf,c as transposed};
