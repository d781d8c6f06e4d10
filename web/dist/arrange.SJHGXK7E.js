import{a,b,c}from"./chunk.L23NMY5H.js";import"./chunk.7GMDV45P.js";export{c as default,a as send,b as toast};
