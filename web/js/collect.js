// Collections: the dialog that adds sounds to one, picking of several rows, and the strip to drop rows on. Loaded when one of them is
// first used; without it links and forms do the same.
import { say } from "./page.js";
import { send, toast } from "./arrange.js";

// choices asks once for the collections that sounds can go into, and brings the style sheet of what is shown.
async function choices(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error("no collections: " + answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const sheet = page.querySelector('#main link[rel="stylesheet"]');
  if (sheet && !document.querySelector(`link[href="${sheet.getAttribute("href")}"]`)) {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = sheet.getAttribute("href");
    await new Promise(done => { link.onload = link.onerror = done; document.head.append(link) });
  }
  return page.getElementById("collect");
}

const address = ids => "/collections/add?" + new URLSearchParams([...ids.map(id => ["recording", id]), ["back", location.pathname + location.search]]);

// --- picking

const picked = () => [...document.querySelectorAll("#main .row.chosen[data-sound]")];
let anchor, bar;

// pick adds a row to what is picked, or takes it out; with range all between it and the one before.
export function pick(row, range) {
  const rows = [...row.parentNode.querySelectorAll(":scope > .row[data-sound]")];
  if (range && anchor?.parentNode === row.parentNode) {
    const [a, b] = [rows.indexOf(anchor), rows.indexOf(row)].sort((x, y) => x - y);
    for (const r of rows.slice(a, b + 1)) choose(r, true);
  } else choose(row, !row.classList.contains("chosen"));
  anchor = row;
  count();
}

function choose(row, on) {
  row.classList.toggle("chosen", on);
  row.classList.toggle("picked", on);
}

function count() {
  const n = picked().length;
  if (!n) return bar?.remove();
  if (!bar) {
    bar = document.createElement("div");
    bar.className = "pick-bar";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Picked sounds");
    const text = document.createElement("span"), add = document.createElement("button"), clear = document.createElement("button");
    add.type = clear.type = "button";
    add.className = "btn main";
    add.textContent = "Add to a collection";
    add.addEventListener("click", () => open());
    clear.className = "btn bare";
    clear.textContent = "Clear";
    clear.addEventListener("click", unpick);
    bar.append(text, add, clear);
  }
  bar.firstChild.textContent = n === 1 ? "1 picked" : n + " picked";
  if (!bar.isConnected) { document.getElementById("main").append(bar); choices(address([picked()[0].dataset.sound])).catch(() => { /* the bar works unstyled */ }) }
  say(bar.firstChild.textContent);
}

function unpick() {
  for (const row of picked()) choose(row, false);
  count();
}

// --- the dialog

// open shows the dialog for what is picked, else for the sound of the row.
export async function open(row) {
  const many = picked(), ids = many.length ? many.map(r => r.dataset.sound) : row ? [row.dataset.sound] : [];
  if (!ids.length) return;
  const url = address(ids), from = document.activeElement;
  let box;
  try { box = await choices(url) } catch { return void (location.href = url) }
  if (!box) return void (location.href = url);
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "collect-title");
  dialog.append(document.adoptNode(box));
  document.body.append(dialog);
  dialog.addEventListener("close", () => { dialog.remove(); from?.isConnected && from.focus({ preventScroll: true }) });
  dialog.addEventListener("click", e => {
    if (e.target === dialog || e.target.closest("[data-collect-close]")) { e.preventDefault(); dialog.close() }
  });
  dialog.addEventListener("submit", async e => {
    e.preventDefault();
    const told = await send("/collections/add", new URLSearchParams(new FormData(e.target, e.submitter)));
    if (!told) return;
    dialog.close();
    unpick();
    toast(told);
  });
  dialog.showModal();
  (dialog.querySelector("li button") ?? dialog.querySelector("[name=name]"))?.focus();
}

// --- dragging

// drag begins when a row is dragged: a strip of collections appears to drop it on.
export function drag(row) {
  const all = picked(), rows = all.includes(row) ? all : [row], ids = rows.map(r => r.dataset.sound);
  row.classList.add("held");
  const strip = document.createElement("div");
  strip.className = "drop-strip";
  strip.setAttribute("aria-hidden", "true"); // dragging is for the mouse: the dialog is the other way
  choices(address(ids)).then(box => {
    if (!row.classList.contains("held")) return;
    const here = document.querySelector("[data-collection]")?.dataset.collection;
    for (const b of box?.querySelectorAll("li button") ?? []) {
      if (b.value === here) continue;
      const to = document.createElement("span");
      to.textContent = b.querySelector(".grow").textContent;
      to.dataset.to = b.value;
      strip.append(to);
      if (strip.childElementCount === 8) break; // more do not fit; the dialog has all
    }
    if (strip.childElementCount) document.body.append(strip);
  }).catch(() => { /* nothing to drop on; the row goes back */ });
  const over = e => {
    const to = e.target.closest?.("[data-to]");
    for (const el of strip.children) el.classList.toggle("over", el === to);
    if (!to) return;
    e.preventDefault();
    e.dataTransfer.dropEffect = "copy";
  };
  const drop = async e => {
    const to = e.target.closest?.("[data-to]");
    if (!to) return;
    e.preventDefault();
    const told = await send("/collections/add", new URLSearchParams([["collection", to.dataset.to], ...ids.map(id => ["recording", id])]));
    if (!told) return;
    unpick();
    toast(told);
  };
  document.addEventListener("dragover", over);
  document.addEventListener("drop", drop);
  row.addEventListener("dragend", () => {
    row.classList.remove("held");
    row.draggable = false;
    strip.remove();
    document.removeEventListener("dragover", over);
    document.removeEventListener("drop", drop);
  }, { once: true });
}
