import{a,b,c}from"./chunk.2SG36IYZ.js";import"./chunk.XVLIZWYP.js";import"./chunk.EBNCSG7K.js";export{a as default,c as readTime,b as stamp};
