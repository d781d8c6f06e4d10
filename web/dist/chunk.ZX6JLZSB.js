import{a,b,c}from"./chunk.ML4FXC2E.js";import"./chunk.WTXXNUZ6.js";import"./chunk.DOOIVK4Z.js";export{a as default,b as tempoOf,c as transposed};
