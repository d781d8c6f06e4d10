import{a,b,c,d,e}from"./chunk.2665EBHR.js";import"./chunk.7PWUFLPQ.js";import"./chunk.7GMDV45P.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
