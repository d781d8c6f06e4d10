import{a,b,c,d,e}from"./chunk.PJKUYSKW.js";import"./chunk.GQFJOUIF.js";import"./chunk.2YBYZQDR.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
