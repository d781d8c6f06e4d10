import{a,b,c}from"./chunk.QMAXSMNR.js";import"./chunk.W4AAGYNG.js";import"./chunk.BSJQMUQL.js";export{a as default,b as tempoOf,c as transposed};
