import{a,b,c}from"./chunk.ILT5D2OI.js";import"./chunk.OYICW57A.js";export{c as default,a as send,b as toast};
