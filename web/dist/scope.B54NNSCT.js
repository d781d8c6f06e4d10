import{a,b,c,d,e}from"./chunk.CW5CDV6P.js";import"./chunk.YBTUHSBW.js";import"./chunk.ZNCX4VY3.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
