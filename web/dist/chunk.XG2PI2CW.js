import{a,b,c}from"./chunk.M53YLTW3.js";import"./chunk.4X7S24UL.js";import"./chunk.RZFVPJNC.js";export{a as default,c as readTime,b as stamp};
