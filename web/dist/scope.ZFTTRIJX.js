import{a,b,c,d,e}from"./chunk.F4Z3SZGL.js";import"./chunk.W4AAGYNG.js";import"./chunk.BSJQMUQL.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
