import{a,b,c}from"./chunk.SEV7U2V3.js";import"./chunk.4X7S24UL.js";import"./chunk.RZFVPJNC.js";export{a as default,b as tempoOf,c as transposed};
