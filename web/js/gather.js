// How rows come into collections: by their list sign, by picking several, by dragging one. It is loaded where rows have the sign;
// what works on a collection (collect.js) comes with the first use.
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
