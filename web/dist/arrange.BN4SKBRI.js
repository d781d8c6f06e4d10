import{a,b,c}from"./chunk.5JNAEO3J.js";import"./chunk.R4J3PNP6.js";export{c as default,a as send,b as toast};
