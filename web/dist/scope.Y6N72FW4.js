import{a,b,c,d,e}from"./chunk.OBUANJ5C.js";import"./chunk.644I7SDI.js";import"./chunk.X35T3MUM.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
