import{a,b,c,d,e}from"./chunk.ESZ5OHP2.js";import"./chunk.GQFJOUIF.js";import"./chunk.2YBYZQDR.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
