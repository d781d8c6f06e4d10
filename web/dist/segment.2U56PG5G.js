import{a,b}from"./chunk.6BOSBTTR.js";export{b as beginning,a as decode};
