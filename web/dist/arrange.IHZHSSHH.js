import{a,b,c}from"./chunk.RN5AXIU6.js";import"./chunk.BSJQMUQL.js";export{c as default,a as send,b as toast};
