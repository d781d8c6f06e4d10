// Keys of every page, listed under "?". Single letters can be switched off there (WCAG 2.1.4); typing is never disturbed.
import { skip, state, step, toggle, toggleLoop, toggleMute } from "./player.js";
import { store } from "./page.js";

const dialog = document.getElementById("keys"), box = dialog.querySelector("[data-keys-switch]");
box.checked = store.get("am.keys") !== "0";
box.addEventListener("change", () => store.set("am.keys", +box.checked));

// here is the element of the sound that the keys speak about: playing, focused, or the page's own.
const here = () => document.querySelector("#main .playing") ?? document.activeElement?.closest?.("[data-sound]") ?? document.querySelector("#main [data-sound]");
const press = sel => (here()?.querySelector(sel) ?? (document.querySelectorAll("#main " + sel).length === 1 ? document.querySelector("#main " + sel) : null))?.click();
const go = url => { const a = document.createElement("a"); a.href = url; document.getElementById("main").append(a); a.click(); a.remove() };

const letters = {
  j: () => step(1), k: () => step(-1), l: toggleLoop, m: toggleMute,
  a: () => press("[data-collect]"), d: () => press("[data-download]"), c: () => press("[data-cart]"), f: () => press("[data-favorite]"),
  x: () => { const row = here()?.closest("[data-queue] [data-hq]"); if (row) import("./row.js").then(m => m.compare(row)) },
  s: () => document.querySelector("#main [data-similar]")?.click() ?? (state.sound && go(state.sound.url + "#sounds-like-this")),
  "/": () => { const q = document.querySelector("#q, #home-q"); q?.focus(); q?.select() },
  "?": () => dialog.showModal(),
};
const places = { h: "/", l: "/library", u: "/upload", c: "/cart" };
let g = 0;

document.addEventListener("keydown", e => {
  if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  const t = e.target;
  if (t.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], audio")) return;
  const pressable = t.closest("a, button, summary, input, [role=slider], .scroll"), loaded = state.sound;
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  let act;
  if (key === " ") act = !pressable && toggle;
  else if (key === "ArrowDown") act = (loaded || t.closest("[data-queue]")) && !t.closest("input, [role=slider]") && (() => step(1));
  else if (key === "ArrowUp") act = loaded && !t.closest("input, [role=slider]") && (() => step(-1));
  else if (key === "ArrowRight" || key === "ArrowLeft") act = loaded && !t.closest("input, [role=slider], .scroll") && (() => skip((key === "ArrowLeft" ? -1 : 1) * (e.shiftKey ? 1 : 5)));
  else if (box.checked) {
    const b = document.querySelector(`#main [data-key="${CSS.escape(e.key.toUpperCase())}"]`);
    if (g && Date.now() - g < 1500 && places[key]) act = () => go(places[key]);
    else if (b) act = () => b.click();
    else if (key === "g") return void (g = Date.now());
    else act = letters[key];
  }
  g = 0;
  if (!act) return;
  e.preventDefault();
  act();
});
