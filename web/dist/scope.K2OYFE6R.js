import{a,b,c,d,e}from"./chunk.WH2JBOF2.js";import"./chunk.BQZELCKZ.js";import"./chunk.COUEUPCX.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
