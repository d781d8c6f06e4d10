// The order of a collection's own page. Without it its buttons are forms that do the same.
import { say } from "./page.js";

// send posts a form as a program and answers {text, undo, at}; what went wrong is said, and answered with null.
export async function send(url, body) {
  try {
    const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
    const told = answer.headers.get("content-type")?.startsWith("application/json") ? await answer.json() : {};
    if (answer.ok) return told;
    say(told.error ?? told.detail ?? "That did not work. Reload the page and try again.", true);
  } catch {
    say("The server did not answer. Nothing was changed; try again.", true);
  }
  return null;
}

// toast says what was done, with a button that takes it back for ten seconds.
export function toast(told, after) {
  say(told.text, true);
  if (!told.undo) return;
  const box = document.querySelector("#toast .toast-box"), b = document.createElement("button");
  b.className = "btn";
  b.type = "button";
  b.textContent = "Undo";
  b.addEventListener("click", async () => {
    const back = await send(told.undo);
    if (!back) return;
    say(back.text, true);
    after?.();
  });
  box.append(b);
}

export default function order(root) {
  const url = `/collections/${root.dataset.collection}/items`;
  const rows = () => [...root.querySelectorAll(".row:has([data-item])")];
  const item = row => row.querySelector("[data-item]").dataset.item;
  const post = fields => send(url, new URLSearchParams(fields));
  const place = row => say(`${row.dataset.title ?? "It"} is ${rows().indexOf(row) + 1} of ${rows().length}`);

  // The buttons of a row act at once and keep the focus, so that one can press on.
  root.addEventListener("submit", async e => {
    if (!e.target.matches("[data-item-acts]") || !e.submitter) return;
    const act = e.submitter.value, row = e.target.closest(".row"), list = rows(), i = list.indexOf(row), button = e.submitter;
    if (act !== "remove" && !list[act === "up" ? i - 1 : i + 1]) return; // over the edge of this page: the server knows the next
    e.preventDefault();
    e.stopPropagation();
    const told = await post({ item: item(row), act });
    if (!told) return;
    if (act === "up") list[i - 1].before(row);
    else if (act === "down") list[i + 1].after(row);
    else {
      const next = row.nextElementSibling;
      (list[i + 1] ?? list[i - 1])?.querySelector("[data-item-acts] button:last-child")?.focus();
      row.remove();
      return toast(told, () => { next?.isConnected ? next.before(row) : root.querySelector(".rows")?.append(row) });
    }
    button.focus();
    place(row);
  }, true);

  // Alt with an arrow does what the buttons do, wherever in the row the focus is, and leaves it there.
  root.addEventListener("keydown", async e => {
    const act = e.altKey && { ArrowUp: "up", ArrowDown: "down" }[e.key], row = act && e.target.closest(".row"), list = row ? rows() : [], i = list.indexOf(row);
    if (i < 0 || !row.querySelector("[data-item-acts]") || e.target.closest("input, textarea")) return;
    e.preventDefault();
    const to = list[act === "up" ? i - 1 : i + 1], had = document.activeElement;
    if (!to) return void row.querySelector(`[data-item-acts] [value=${act}]`).click(); // over the edge of this page
    if (!await post({ item: item(row), act })) return;
    act === "up" ? to.before(row) : to.after(row);
    had.focus();
    place(row);
  });

  // Dragging: the line shows where the row will stand.
  let mark, side;
  const clear = () => { mark?.classList.remove("before", "behind"); mark = null };
  root.addEventListener("dragover", e => {
    const held = root.querySelector(".row.held"), row = e.target.closest(".row");
    clear();
    if (!held || !row || row === held || !row.querySelector("[data-item-acts]")) return;
    e.preventDefault();
    const box = row.getBoundingClientRect();
    side = e.clientY < box.top + box.height / 2 ? "before" : "behind";
    (mark = row).classList.add(side);
  });
  root.addEventListener("dragleave", e => { if (!root.contains(e.relatedTarget)) clear() });
  root.addEventListener("drop", async e => {
    const held = root.querySelector(".row.held"), to = mark, where = side;
    clear();
    if (!held || !to) return;
    e.preventDefault();
    if (!await post({ item: item(held), act: where, other: item(to) })) return;
    where === "before" ? to.before(held) : to.after(held);
    place(held);
  });
}
