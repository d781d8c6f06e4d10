// Entry of every page: boosted navigation into #main, and what listens for the whole document. Every part is progressive:
// the page reads and submits without it. Browser storage: localStorage am.volume, am.muted, am.keys, am.view, am.up.*.
import htmx from "../vendor/htmx/htmx.esm.min.js";
import { mark } from "./player.js";
import "./keys.js";
import { say, wire } from "./page.js";

// What is not a page of this site (a PDF, a file) is left to the browser.
document.addEventListener("htmx:before:response", e => {
  const { response, request } = e.detail.ctx;
  if (response.headers.get("content-type")?.startsWith("text/html")) return;
  e.preventDefault();
  if (request.method === "GET") location.href = response.raw.url;
});
document.addEventListener("htmx:error", e => {
  const { ctx } = e.detail;
  if (ctx?.request?.method === "GET" && ctx.request.action) location.href = ctx.request.action;
  else say("The server did not answer. Nothing was sent; try again.", true);
});
document.addEventListener("htmx:after:swap", e => {
  const main = document.getElementById("main");
  if (!main || e.detail.ctx.target?.id && e.detail.ctx.target.id !== "main") return;
  start();
  if (!e.detail.ctx.request?.anchor && !document.activeElement?.closest?.("[autofocus], #q")) main.focus({ preventScroll: true });
  say(document.title.split(" · ")[0]);
});

// The line under the pointer comes with the first pointer.
addEventListener("pointermove", e => import("./hover.js").then(m => m.default(e)), { once: true, passive: true });

function start() {
  wire(document);
  mark();
  if (document.querySelector("[data-collect]")) import("./gather.js");
  for (const el of document.querySelectorAll("[data-module]:not([data-on])")) {
    el.dataset.on = el.open === false ? "ready" : ""; // what is folded waits until it is opened
    const load = () => import(el.dataset.src).then(m => m.default(el, htmx)).then(() => { el.dataset.on = "ready" });
    el.open === false ? el.addEventListener("toggle", load, { once: true }) : load();
  }
}
start();
