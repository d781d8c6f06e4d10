import{a,b,c}from"./chunk.2L4DWTQM.js";import"./chunk.X66ELGVE.js";import"./chunk.R4J3PNP6.js";export{a as default,c as readTime,b as stamp};
