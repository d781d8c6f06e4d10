import{a,b,c,d,e}from"./chunk.FUPFMI2R.js";import"./chunk.4X7S24UL.js";import"./chunk.RZFVPJNC.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
