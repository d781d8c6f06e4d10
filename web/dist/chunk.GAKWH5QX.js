import{a,b,c}from"./chunk.YLB7KYCR.js";import"./chunk.YBTUHSBW.js";import"./chunk.ZNCX4VY3.js";export{a as default,b as tempoOf,c as transposed};
