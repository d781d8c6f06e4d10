import{a,b,c,d,e}from"./chunk.FZ6ZQAHN.js";import"./chunk.WTXXNUZ6.js";import"./chunk.DOOIVK4Z.js";export{d as columns,a as default,e as palette,c as readPairs,b as readPeaks};
