// Entry of every page: boosted navigation into #main, and what listens for the whole document. Every part is progressive:
// the page reads and submits without it. Browser storage: localStorage am.volume, am.muted, am.keys, am.view, am.up.*.
import htmx from "../vendor/htmx/htmx.esm.min.js";
import { mark } from "./player.js";
import "./hover.js";
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

// Collections come with the first use of their list sign, of picking rows, or of dragging one.
const collect = act => import("./collect.js").then(act), free = ".row[data-sound]:not(:has(.play.off))";
document.addEventListener("click", e => {
  if (e.defaultPrevented || e.button || e.altKey) return;
  const row = e.target.closest(".row[data-sound], .rec-head[data-sound]"), many = e.shiftKey || e.ctrlKey || e.metaKey;
  if (e.target.closest("[data-collect]") && !many) {
    e.preventDefault();
    collect(m => m.open(row));
  } else if (many && row?.matches(free) && row.querySelector("[data-collect]") && !e.target.closest("a, button, input, summary, [data-seek]")) {
    e.preventDefault();
    collect(m => m.pick(row, e.shiftKey));
  }
});
// A row can be dragged by what is not for pressing, and by its title.
document.addEventListener("pointerdown", e => {
  const row = e.pointerType === "mouse" && e.target.closest?.(".row[data-sound]:has([data-collect])");
  if (!row) return;
  if (e.shiftKey) e.preventDefault(); // picks rows, not text
  row.draggable = !e.target.closest("button, input, summary, [data-seek]");
});
document.addEventListener("dragstart", e => {
  const row = e.target.closest?.(".row[draggable=true]");
  if (!row) return;
  e.dataTransfer.effectAllowed = "copyMove";
  e.dataTransfer.setData("text/plain", row.dataset.title ?? "");
  collect(m => m.drag(row));
});

function start() {
  wire(document);
  mark();
  for (const el of document.querySelectorAll("[data-module]:not([data-on])")) {
    el.dataset.on = "";
    import(el.dataset.src).then(m => m.default(el, htmx)).then(() => { el.dataset.on = "ready" });
  }
}
start();
