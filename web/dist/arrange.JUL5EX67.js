import{a,b,c}from"./chunk.7CDVIHG7.js";import"./chunk.DOOIVK4Z.js";export{c as default,a as send,b as toast};
