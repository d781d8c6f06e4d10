import{a,b,c}from"./chunk.23J3E7TV.js";import"./chunk.644I7SDI.js";import"./chunk.X35T3MUM.js";export{a as default,b as tempoOf,c as transposed};
