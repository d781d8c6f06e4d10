// What a row offers beyond its buttons. Each is loaded when it is first used; without script the "more" link leads to the
// recording's page, where all of it can be done.
import { say } from "./page.js";
import { more as goOn, play } from "./player.js";

const make = (tag, props, ...inside) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...inside);
  return e;
};

// favor keeps the row's sound among the favorites, or takes it out, where it stands.
export async function favor(form) {
  const button = form.querySelector("button"), field = form.elements.remove, was = field.value;
  const set = on => {
    for (const f of document.querySelectorAll(`[data-favor][action="${form.getAttribute("action")}"]`)) {
      f.elements.remove.value = on ? "1" : "";
      f.querySelector("button").setAttribute("aria-pressed", on);
    }
  };
  const body = new URLSearchParams(new FormData(form));
  set(!was);
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
    if (answer.type !== "opaqueredirect" && !answer.ok) throw new Error();
    say(was ? "It is no favorite any more." : "It is among your favorites.");
  } catch {
    set(was);
    say("The server did not answer. Your favorites are as they were.", true);
    button.focus();
  }
}

// more opens the menu of a row.
let menu, first;
export function more(link) {
  const row = link.closest("[data-sound]"), id = row.dataset.sound, open = menu?.parentNode !== link.parentNode;
  close();
  if (!open) return;
  const url = link.href;
  // On a phone the row has no room for its buttons: they are here.
  const also = [["[data-collect]", "Add to a collection"], ["[data-favorite]", "Favorite or not"], ["[data-cart]", "Add to cart"], ["[data-download]", "Download"]].map(([at, textContent]) => [row.querySelector(at), textContent]).filter(([b]) => b && !b.checkVisibility())
    .map(([b, textContent]) => make("a", { href: url, textContent, onclick: e => { e.preventDefault(); close(link); b.click() } }));
  menu = make("div", { className: "menu-box" }, ...also,
    make("a", { href: `/compare?a=${id}`, textContent: first ? "Compare with the one chosen" : "Compare with another", onclick: e => { e.preventDefault(); close(link); compare(row) } }),
    make("a", { href: url + "#sounds-like-this", textContent: "Sounds like this" }),
    make("a", { href: url, textContent: "Copy link", onclick: e => {
      e.preventDefault();
      close(link);
      navigator.clipboard.writeText(url).then(() => say("Copied.", true), () => say("The browser refused to copy.", true));
    } }));
  link.setAttribute("aria-expanded", "true");
  link.parentNode.append(menu);
  window.htmx?.process(menu);
  menu.firstElementChild.focus();
  menu.onkeydown = e => {
    const list = [...menu.children], i = list.indexOf(document.activeElement), by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!by && e.key !== "Escape") return;
    e.preventDefault();
    e.stopPropagation();
    by ? list.at((i + by) % list.length).focus() : close(link);
  };
  menu.onclick = e => e.stopPropagation();
}
function close(to) {
  menu?.parentNode?.querySelector("[data-more]")?.removeAttribute("aria-expanded");
  menu?.remove();
  menu = null;
  to?.focus();
}
document.addEventListener("click", e => menu && !e.target.closest("[data-more]") && close());
document.addEventListener("focusin", e => menu && !menu.parentNode.contains(e.target) && close());

// compare takes the first of two, then opens both.
export function compare(row) {
  if (!first || first.id === row.dataset.sound) {
    first = { id: row.dataset.sound, title: row.dataset.title };
    return say(`${first.title} is A. Press X on another sound, or choose Compare there.`, true);
  }
  const a = make("a", { href: `/compare?a=${first.id}&b=${row.dataset.sound}` });
  first = null;
  document.getElementById("main").append(a);
  window.htmx?.process(a);
  a.click();
  a.remove();
}

// edge is a step beyond the queue's ends. Who walks down with a key stops at no page's end: the next page of the list that plays opens,
// and its first sound begins.
export function edge(by) {
  const list = document.querySelector("#main [data-next]"), link = document.querySelector("#main a[rel=next]");
  if (by < 0 || !link || !list?.querySelector(".playing")) return say(by > 0 ? "End of the list" : "Start of the list");
  document.addEventListener("htmx:after:swap", function begin() {
    if (list.isConnected) return;
    document.removeEventListener("htmx:after:swap", begin);
    const row = document.querySelector("#main [data-queue] [data-hq]");
    if (!row) return;
    play(row);
    row.querySelector(".play").focus();
  });
  link.click();
}

// all plays a list from its first sound, and goes on through its pages: the next one is fetched when the end is near.
export function all(button) {
  const list = [...document.querySelectorAll("#main [data-queue]")].find(l => button.compareDocumentPosition(l) & Node.DOCUMENT_POSITION_FOLLOWING && l.querySelector("[data-hq]"));
  if (!list) return;
  let next = list.dataset.next;
  play(list.querySelector("[data-hq]"));
  goOn(async () => {
    if (!next) return [];
    const answer = await fetch(next, { headers: { Accept: "text/html" } });
    if (!answer.ok) return [];
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const to = [...page.querySelectorAll("[data-queue]")].find(l => l.getAttribute("aria-label") === list.getAttribute("aria-label"));
    next = to?.dataset.next;
    return [...to?.querySelectorAll("[data-hq]") ?? []];
  });
}
