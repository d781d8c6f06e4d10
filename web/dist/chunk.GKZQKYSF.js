import{a,b,c}from"./chunk.5K65VDOL.js";import"./chunk.BQZELCKZ.js";import"./chunk.COUEUPCX.js";export{a as default,c as readTime,b as stamp};
