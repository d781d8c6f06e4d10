// Results as you type: the field in the head and the filters renew the list, the counts and the address through one small
// request each; the page's own links and forms do the same without it. Answers that a newer key has overtaken are dropped.
import { say } from "./page.js";
import { mark, play, relist, state } from "./player.js";

const $ = s => document.querySelector(s);
const page = () => $("#main .page.search");
let root, htmx, asked, shown, typing = false, rest, told, counts;

export default function find(el, h) {
  if (!htmx) listen();
  [root, htmx, shown] = [el, h, address()];
  const field = $("#q");
  field.removeAttribute("list"); // the results themselves come while typing: a list over them would hide them
  if (field !== document.activeElement) field.value = $("#facets [name=q]").value; // Back gives the page, not the head
}

// address is the search that the field, the filters and the order say now.
function address() {
  const to = new URLSearchParams(new FormData($("#facets"))), q = $("#q").value.trim(), order = $(".sort select");
  to.delete("q");
  to.delete("sort");
  const all = new URLSearchParams(q && { q });
  for (const [k, v] of to) all.append(k, v);
  if (order?.selectedIndex > 0) all.append("sort", order.value);
  return "/search" + (String(all) && "?" + all);
}

// ask fetches the parts of the page at an address; a newer question ends it.
async function ask(to) {
  asked?.abort();
  const mine = asked = new AbortController();
  const answer = await fetch(to, { headers: { "Am-Part": "results", Accept: "text/html" }, signal: mine.signal });
  const box = document.createElement("template");
  if (answer.ok) box.innerHTML = await answer.text();
  if (mine !== asked || !page()) throw new DOMException("overtaken", "AbortError");
  return answer.ok && box.content;
}

// count brings what the filters of the sheet on a phone would find; they hold when they are confirmed.
const count = () => ask(address()).then(got => got && facets(got.querySelector("#facets"))).catch(() => { /* the button confirms all the same */ });

// renew shows what is asked for now. The first change after a rest is a new line of the history; what is typed on replaces it.
async function renew(settled) {
  const to = address();
  clearTimeout(rest);
  if (to !== shown) {
    shown = to;
    if (!history.state?.htmx) history.replaceState({ htmx: true }, ""); // so that Back is answered by what answers it elsewhere
    history[typing ? "replaceState" : "pushState"]({ htmx: true }, "", to);
    typing = true;
    try {
      const got = await ask(to);
      if (got) show(got);
      else if (settled) location.reload(); // the page says what is wrong with it; half a word is not told off
    } catch (e) {
      if (e.name === "AbortError") return;
      shown = "";
      say("The server did not answer. The list shows an earlier search.", true);
    }
  }
  if (settled) typing = false;
  else rest = setTimeout(() => { typing = false }, 1500);
}

function show(got) {
  const fresh = got.querySelector(".results"), rail = got.querySelector("#facets"), old = root.querySelector(".results");
  if (!fresh || !rail) return location.reload(); // another version of the program answers
  const held = old.contains(document.activeElement) && document.activeElement.name;
  if (scrollY > 0 && document.activeElement === $("#q")) scrollTo({ top: 0, behavior: "instant" }); // asked before: afterwards it would lay out twice
  // The browser lays out rows for two windows more than it shows: those beyond the window follow the first frame.
  const beyond = scrollY > 0 ? [] : [...fresh.querySelectorAll("[data-queue] > .row")].slice(Math.ceil(innerHeight / 48));
  for (const row of beyond) row.hidden = true;
  old.replaceWith(fresh);
  if (held) fresh.querySelector(`[name="${CSS.escape(held)}"]`)?.focus();
  const heading = fresh.querySelector("h1").textContent;
  document.title = heading + " · " + $(".brand span").textContent;
  $("#main").dataset.title = heading;
  relist(fresh.querySelector("[data-queue]"));
  mark();
  // Rows are painted first: the counts beside them and what listens for presses come one frame later.
  cancelAnimationFrame(counts);
  counts = requestAnimationFrame(() => setTimeout(() => {
    if (!fresh.isConnected) return;
    facets(rail); // asks where its lines are scrolled to: before anything else has changed, that lays out nothing
    for (const row of beyond) row.hidden = false;
    htmx.process(fresh);
  }));
  clearTimeout(told);
  told = setTimeout(() => say(fresh.querySelector(".head-line p").textContent.trim()), 700);
}

// facets brings the counts. Blocks stay as open as they are, and the one that is being used keeps its lines in place.
function facets(fresh) {
  const rail = $("#facets"), held = document.activeElement, summary = held?.closest?.("[data-facet] > summary")?.parentElement.dataset.facet;
  const box = rail.querySelector(".rail-body"), top = box.scrollTop, inside = box.contains(held);
  for (const block of fresh.querySelectorAll("[data-facet]")) {
    const old = rail.querySelector(`[data-facet="${block.dataset.facet}"]`);
    if (!old) continue;
    block.open = old.open;
    if (!old.contains(held) || summary) continue;
    for (const box of block.querySelectorAll("[type=checkbox]")) {
      const line = old.querySelector(`[value="${CSS.escape(box.value)}"]`)?.closest("label"), now = box.closest("label");
      for (const s of [".num", ".vh"]) if (line?.querySelector(s)) line.querySelector(s).textContent = now.querySelector(s).textContent;
      (line?.closest("li") ?? line)?.classList.toggle("zero", (now.closest("li") ?? now).classList.contains("zero"));
    }
    const drawn = old.querySelector(".histo");
    if (drawn) drawn.replaceWith(block.querySelector(".histo") ?? "");
    block.replaceWith(old);
  }
  const to = fresh.querySelector(".rail-body");
  box.replaceWith(to);
  if (top) to.scrollTop = top; // else it would lay out what has just changed at once
  if (inside) (summary ? to.querySelector(`[data-facet="${summary}"] > summary`) : held)?.focus({ preventScroll: true });
  rail.querySelector("[name=q]").value = fresh.querySelector("[name=q]").value;
  rail.querySelector("[data-facets-show]").replaceChildren(...fresh.querySelector("[data-facets-show]").childNodes);
}

function listen() {
  const mine = t => page() && (t.id === "q" || t.closest?.("#facets"));
  let pause;
  const typed = e => {
    if (e.isComposing || !mine(e.target)) return; // a word in the making is not one yet
    clearTimeout(pause);
    if (e.target.id === "q") renew();
    else if ($("#facets.open")) pause = setTimeout(count, 250);
    else if (e.target.matches("[type=checkbox]")) renew(true);
    else pause = setTimeout(renew, 250); // "1" on the way to "120" is another range
  };
  document.addEventListener("input", typed);
  // Down leads from the field, or from nowhere, into the list and plays its first sound; from there the arrows go on.
  document.addEventListener("keydown", e => {
    if (e.key !== "ArrowDown" || e.isComposing || !page() || e.target.id !== "q" && (state.sound || !e.target.matches("body, #main") || document.querySelector("dialog[open]"))) return;
    const row = root.querySelector("[data-queue] [data-hq]");
    if (!row) return;
    e.preventDefault();
    play(row);
    row.querySelector(".play").focus();
  });
  document.addEventListener("compositionend", e => mine(e.target) && renew());
  document.addEventListener("submit", e => {
    const form = e.target, rail = $("#facets");
    if (!page() || !form.matches("#facets, .sort, .head-search")) return;
    e.preventDefault();
    e.stopPropagation();
    if (form === rail && e.submitter) rail.classList.remove("open");
    clearTimeout(pause);
    renew(true);
  }, true);
}
