import{a,b,c}from"./chunk.YREHJ3UE.js";import"./chunk.BQZELCKZ.js";import"./chunk.COUEUPCX.js";export{a as default,b as tempoOf,c as transposed};
