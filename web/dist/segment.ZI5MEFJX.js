import{a}from"./chunk.VSGRN2XN.js";export{a as decode};
