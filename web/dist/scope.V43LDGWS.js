import{a,b,c,d,e}from"./chunk.B7R4FHQE.js";import"./chunk.XVLIZWYP.js";import"./chunk.EBNCSG7K.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
