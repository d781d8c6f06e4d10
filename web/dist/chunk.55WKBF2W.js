import{a,b,c}from"./chunk.Z7KOHIBQ.js";import"./chunk.XVLIZWYP.js";import"./chunk.EBNCSG7K.js";export{a as default,b as tempoOf,c as transposed};
