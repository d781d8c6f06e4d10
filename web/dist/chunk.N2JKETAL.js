import{a,b,c}from"./chunk.LSSH7ZMO.js";import"./chunk.X66ELGVE.js";import"./chunk.R4J3PNP6.js";export{a as default,b as tempoOf,c as transposed};
