// Small behaviors of any page: announce, toast, copy, theme, menus, selects that submit, facets, the price on the button.
const live = document.getElementById("live");

// say tells screen readers one sentence; with seen it also shows a toast.
export function say(text, seen) {
  live.textContent = "";
  requestAnimationFrame(() => { live.textContent = seen ? "" : text });
  if (!seen) return;
  const box = document.createElement("div");
  box.className = "toast-box";
  box.dataset.toast = "";
  box.textContent = text;
  document.getElementById("toast").replaceChildren(box);
  fade();
}

let fading;
function fade() {
  clearTimeout(fading);
  fading = setTimeout(() => document.getElementById("toast").replaceChildren(), 10000);
}

export const store = {
  get(key) { try { return localStorage.getItem(key) } catch { return null } },
  set(key, value) { try { localStorage.setItem(key, value) } catch { /* full or forbidden: it is only remembered */ } },
  del(key) { try { localStorage.removeItem(key) } catch { /* as above */ } },
};

// wire looks at what a page brings each time it comes.
export function wire(root) {
  if (root.querySelector("[data-toast]")) fade();
  for (const form of root.querySelectorAll("[data-offers]")) price(form);
  themes();
  root.querySelector("#main [data-errors]")?.focus();
}

function price(form) {
  const chosen = form.querySelector(":checked"), to = form.querySelector("[data-offer-price]");
  if (chosen && to) to.textContent = "· " + chosen.dataset.price;
}

function themes() {
  const now = document.documentElement.dataset.theme || "";
  for (const b of document.querySelectorAll("[data-themes] button")) b.setAttribute("aria-pressed", b.value === now);
}

// The theme changes at once; the server is told so that the next page comes in it.
document.addEventListener("submit", e => {
  if (!e.target.matches("[data-themes]") || !e.submitter) return;
  e.preventDefault();
  const name = e.submitter.value;
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  fetch(e.target.action, { method: "POST", body: new URLSearchParams({ theme: name }), redirect: "manual" }).catch(() => { /* it holds until the next page */ });
  themes();
  document.dispatchEvent(new Event("am:theme"));
});

// The search field offers tags and titles that begin as typed.
let asking;
document.addEventListener("input", e => {
  const field = e.target;
  if (!field.matches("[data-suggest]") || document.querySelector("#main .page.search")) return; // there, results come as you type
  clearTimeout(asking);
  asking = setTimeout(async () => {
    const text = field.value.trim(), list = document.getElementById("suggestions");
    if (text.length < 2 || [...list.options].some(o => o.value === field.value)) return;
    try {
      const answer = await fetch("/search/suggest?q=" + encodeURIComponent(text));
      if (!answer.ok) return;
      list.replaceChildren(...(await answer.json()).map(s => new Option(s.count > 1 ? s.count + " sounds" : "", s.text)));
      field.setAttribute("list", "suggestions");
    } catch { /* the search itself needs no suggestion */ }
  }, 150);
});

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say("Copied.", true);
  } catch {
    say("The browser refused to copy. Select the line instead.", true);
  }
}

document.addEventListener("click", e => {
  const on = s => e.target.closest(s);
  let b;
  const row = (act, el) => { e.preventDefault(); import("./row.js").then(m => m[act](el)) };
  if (e.ctrlKey || e.metaKey || e.shiftKey) return;
  if ((b = on("[data-copy]"))) copy(b);
  else if ((b = on("[data-more]"))) row("more", b);
  else if ((b = on("[data-favorite]"))) row("favor", b.form);
  else if ((b = on("[data-play-all]"))) row("all", b);
  else if (on("[data-keys-open]")) document.getElementById("keys").showModal();
  else if (on("[data-facets-open]")) facets(true);
  else if (on("[data-facets-close]")) facets(false);
  for (const m of document.querySelectorAll("[data-menu][open]")) if (!m.contains(e.target) || on("a")) m.open = false;
});

function facets(open) {
  const rail = document.getElementById("facets");
  if (!rail) return;
  rail.classList.toggle("open", open);
  (open ? rail.querySelector("[data-facets-close]") : document.querySelector("[data-facets-open]"))?.focus();
}

document.addEventListener("keydown", e => {
  if (e.key !== "Escape") return;
  for (const m of document.querySelectorAll("[data-menu][open]")) {
    m.open = false;
    m.querySelector("summary").focus();
  }
  if (document.querySelector("#facets.open")) facets(false);
});

document.addEventListener("change", e => {
  const t = e.target;
  if (t.matches("[data-now]")) t.form.requestSubmit();
  if (t.closest("[data-offers]")) price(t.form);
  const rail = t.closest("#facets");
  if (rail && !rail.classList.contains("open")) rail.requestSubmit();
});

// Fields left empty say nothing: they stay out of the address.
document.addEventListener("formdata", e => {
  if (e.target.method !== "get") return;
  for (const [k, v] of [...e.formData]) if (v === "" && k !== "q") e.formData.delete(k);
});
document.addEventListener("submit", e => {
  const rail = e.target.closest("#facets");
  if (rail) rail.classList.remove("open");
});
