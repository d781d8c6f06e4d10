// The describe sheet: keys, fill-down, apply to selected, undo, autosave. The form itself works without it.
import { say } from "./page.js";
import live from "./live.js";

export default function batch(root) {
  live(root);
  const form = root.querySelector("[data-sheet]"), saved = root.querySelector("[data-saved]"), picked = root.querySelector("[data-selected]"), everyone = root.querySelector("[data-select-all]");
  const rows = () => [...form.querySelectorAll("[data-row]")];
  const cell = (row, column) => row.querySelector(`[data-cell="${column}"]`);
  const value = c => c.type === "checkbox" ? c.checked : c.value;
  const past = []; // each step: [[cell, before], …]
  const known = new Map([...form.querySelectorAll("[data-cell]")].map(c => [c, value(c)]));
  // What the server has of each cell. Only cells that say something else are sent, so that a sheet left open in another tab
  // does not bring its old words back.
  const kept = new Map(known);
  const meet = c => { if (!known.has(c)) { known.set(c, value(c)); kept.set(c, value(c)) } };
  // What another page saved meanwhile stays until it is typed over, or the form is sent: telling comes before replacing.
  const clashed = new Map();
  const changed = (row, all) => [...row.querySelectorAll("[data-cell]")].filter(c => kept.has(c) && kept.get(c) !== value(c) && (all || clashed.get(c) !== value(c)));

  // write sets cells in one step that undo takes back.
  const write = changes => {
    const step = [];
    for (const [c, to] of changes) {
      if (!c || c.disabled) continue;
      meet(c);
      if (known.get(c) === to) continue;
      step.push([c, known.get(c)]);
      c.type === "checkbox" ? c.checked = to : c.value = to;
      known.set(c, to);
      save(c.closest("[data-row]"));
    }
    if (step.length) past.push(step);
    return step.length;
  };
  const undo = () => {
    const step = past.pop();
    if (!step) return say("Nothing to undo");
    for (const [c, before] of step) {
      c.type === "checkbox" ? c.checked = before : c.value = before;
      known.set(c, before);
      save(c.closest("[data-row]"));
    }
    step[0][0].focus();
    say(step.length === 1 ? "Undone" : `Undone in ${step.length} rows`);
  };
  // A row that has become ready comes from the server with cells of its own.
  form.addEventListener("focusin", e => {
    if (e.target.matches("[data-cell]")) meet(e.target);
  });
  const chosen = () => rows().filter(r => r.querySelector("[name=select]").checked);
  const count = () => { picked.textContent = `${chosen().length} selected` };

  const waiting = new Map();
  let line = Promise.resolve(); // one row after the other, so that the last answer counts the rows as they are
  const save = row => {
    if (!root.dataset.save) return;
    clearTimeout(waiting.get(row));
    waiting.set(row, setTimeout(() => { line = line.then(() => send(row)) }, 600));
  };
  const send = async (row, leaving) => {
    waiting.delete(row);
    const cells = changed(row), sent = cells.map(value);
    if (!cells.length) return;
    const seen = row.querySelector("[data-seen]"), data = new URLSearchParams({ id: row.dataset.row, seen: seen.value });
    cells.forEach((c, i) => data.set(c.dataset.cell, c.type !== "checkbox" ? sent[i] : sent[i] ? "on" : ""));
    saved.textContent = "Saving…";
    try {
      const answer = await fetch(root.dataset.save, { method: "POST", body: data, headers: { Accept: "application/json" }, keepalive: Boolean(leaving) });
      const a = await answer.json();
      if (!answer.ok) throw Error(a.detail);
      saved.textContent = a.saved || "Saved.";
      if (a.seen) seen.value = a.seen;
      cells.forEach((c, i) => {
        if (a.both?.includes(c.dataset.cell)) clashed.set(c, sent[i]);
        else if (!a.errors?.[c.dataset.cell]) kept.set(c, sent[i]); // what was refused is sent again
      });
      show(row, a);
    } catch (e) {
      saved.textContent = e.message || "Not saved: the server did not answer. It is tried again at your next change.";
    }
  };
  // Who closes the page before the pause is over, or with the cursor in a cell, loses nothing.
  const leave = () => { for (const row of rows()) if (changed(row).length) send(row, true) };
  addEventListener("pagehide", leave);
  const gone = () => {
    if (root.isConnected) return;
    removeEventListener("pagehide", leave);
    document.removeEventListener("htmx:after:swap", gone);
  };
  document.addEventListener("htmx:after:swap", gone);
  form.addEventListener("formdata", e => {
    for (const row of rows()) {
      const cells = changed(row, true), names = cells.map(c => c.dataset.cell);
      for (const c of row.querySelectorAll("[data-cell]")) if (!names.includes(c.dataset.cell)) e.formData.delete(c.name);
      if (row.querySelector("[data-cell]:enabled")) e.formData.append("changed." + row.dataset.row, names);
    }
  });
  const show = (row, a) => {
    for (const c of row.querySelectorAll("[data-cell]")) {
      const bad = a.errors?.[c.dataset.cell] ?? "";
      c.closest("td").classList.toggle("bad", Boolean(bad));
      bad ? c.setAttribute("aria-invalid", "true") : c.removeAttribute("aria-invalid");
      c.title = bad;
      if (c.placeholder !== undefined && bad) c.placeholder = bad;
    }
    const state = row.querySelector("[data-check] .state");
    if (state && a.check) {
      state.className = "state " + (a.tone ?? "");
      state.querySelector("span").textContent = a.check;
      const use = state.querySelector("use");
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, a.tone === "good" ? "#circle-check" : "#triangle-alert"));
    }
    if (a.ready >= 0) for (const n of form.querySelectorAll("[data-ready]")) {
      n.textContent = a.ready;
      n.hidden = !a.ready && Boolean(n.closest("button"));
    }
  };

  form.addEventListener("change", e => {
    const c = e.target;
    if (c === everyone) {
      for (const r of rows()) r.querySelector("[name=select]").checked = c.checked;
      return count();
    }
    if (c.name === "select") return count();
    if (!c.matches("[data-cell]")) return;
    past.push([[c, known.get(c)]]);
    known.set(c, value(c));
    save(c.closest("[data-row]"));
  });

  // Shift-press selects all rows between.
  let last = null;
  form.addEventListener("click", e => {
    if (e.target.name !== "select") return;
    const list = rows(), at = list.indexOf(e.target.closest("[data-row]"));
    if (e.shiftKey && last !== null) for (let i = Math.min(at, last); i <= Math.max(at, last); i++) list[i].querySelector("[name=select]").checked = e.target.checked;
    last = at;
    count();
  });

  form.addEventListener("keydown", e => {
    const c = e.target.closest("[data-cell]"), mod = e.ctrlKey || e.metaKey, key = e.key.toLowerCase();
    if (mod && key === "z" && (!c || value(c) === known.get(c))) {
      e.preventDefault();
      return undo();
    }
    if (!c) return;
    const list = rows(), at = list.indexOf(c.closest("[data-row]")), column = c.dataset.cell;
    const move = by => {
      for (let i = at + by; list[i]; i += by) {
        const to = cell(list[i], column);
        if (to.disabled) continue;
        to.focus();
        return to.select?.();
      }
    };
    if (mod && key === "d") {
      e.preventDefault();
      const marked = chosen();
      let n;
      if (marked.length > 1) {
        c.dispatchEvent(new Event("change", { bubbles: true }));
        n = write(marked.map(r => [cell(r, column), value(c)]));
      } else if (at > 0) n = write([[c, value(cell(list[at - 1], column))]]);
      if (n) say(n === 1 ? "Filled down" : `Filled into ${n} rows`);
    } else if (e.key === "Enter" && c.tagName === "INPUT" && c.type !== "checkbox") {
      e.preventDefault();
      move(e.shiftKey ? -1 : 1);
    } else if ((e.key === "ArrowDown" || e.key === "ArrowUp") && c.tagName === "INPUT" && !c.list && !mod) {
      e.preventDefault();
      move(e.key === "ArrowDown" ? 1 : -1);
    } else if (e.key === "Escape" && c.type !== "checkbox") c.value = known.get(c);
  });

  root.addEventListener("click", e => {
    const b = e.target.closest("[data-apply]");
    if (!b) return;
    const marked = chosen();
    if (!marked.length) return say("Select rows first.", true);
    ask(b, marked);
  });

  // ask shows the column's own control once for all selected rows.
  const ask = (b, marked) => {
    const column = b.dataset.apply, dialog = document.createElement("dialog"), inner = document.createElement("form"), title = document.createElement("h2"), acts = document.createElement("div"), no = document.createElement("button"), yes = document.createElement("button");
    const field = cell(marked[0], column).cloneNode(true);
    for (const a of ["id", "name", "data-cell", "aria-invalid", "title", "disabled"]) field.removeAttribute(a);
    if (column === "tags") field.value = "";
    field.setAttribute("aria-label", b.textContent);
    dialog.className = "dialog";
    inner.method = "dialog";
    inner.className = "form";
    title.textContent = `${b.textContent} of ${marked.length} ${marked.length === 1 ? "recording" : "recordings"}`;
    dialog.setAttribute("aria-label", title.textContent);
    acts.className = "acts";
    no.type = "button";
    no.className = "btn";
    no.textContent = "Cancel";
    no.onclick = () => dialog.close();
    yes.className = "btn main";
    yes.textContent = "Apply";
    acts.append(no, yes);
    inner.append(title, field, acts);
    inner.onsubmit = () => {
      const to = field.value;
      const n = write(marked.map(r => {
        const c = cell(r, column);
        return [c, column === "tags" ? join(c.value, to) : to];
      }));
      say(`Changed in ${n} ${n === 1 ? "row" : "rows"}. Ctrl Z takes it back.`, true);
    };
    dialog.append(inner);
    dialog.onclose = () => { dialog.remove(); b.focus() };
    root.append(dialog);
    dialog.showModal();
  };
  const join = (have, more) => [...new Set((have + "," + more).split(",").map(t => t.trim()).filter(Boolean))].join(", ");
  count();
}
