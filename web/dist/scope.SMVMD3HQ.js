import{a,b,c,d,e}from"./chunk.32LHQDK3.js";import"./chunk.ALL35JHJ.js";import"./chunk.OYICW57A.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
