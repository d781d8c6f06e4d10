import{a,b,c}from"./chunk.RMOJC7S7.js";import"./chunk.EBNCSG7K.js";export{c as default,a as send,b as toast};
