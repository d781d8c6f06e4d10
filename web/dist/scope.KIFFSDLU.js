import{a,b,c,d,e}from"./chunk.G6X4WSR5.js";import"./chunk.X66ELGVE.js";import"./chunk.R4J3PNP6.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
