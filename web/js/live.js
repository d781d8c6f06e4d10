// Progress without reloading: server-sent events "draft" with {"id", "state", "text", "percent"} update the line of a draft
// or of the describe sheet; when a state changes, that part of the page is taken anew from the server. Without an address
// the page has its reload link.
const moving = ["uploading", "queued", "analyzing"];

export default function live(root) {
  const url = root.dataset.events, list = () => renew("draft-list");
  const drafts = () => root.isConnected && list();
  document.addEventListener("am:drafts", drafts);
  const source = url ? new EventSource(url) : null;
  const leave = () => {
    if (root.isConnected) return;
    source?.close();
    document.removeEventListener("am:drafts", drafts);
    document.removeEventListener("htmx:after:swap", leave);
  };
  document.addEventListener("htmx:after:swap", leave);
  if (!source) return;
  // What happened between the page and the first event is on a fresh page only.
  source.addEventListener("open", () => {
    if ([...root.querySelectorAll("[data-state]")].some(e => moving.includes(e.dataset.state))) list();
  }, { once: true });
  source.addEventListener("draft", e => {
    const d = JSON.parse(e.data), id = CSS.escape(String(d.id));
    const line = root.querySelector(`[data-draft="${id}"]`), row = root.querySelector(`[data-row="${id}"]`);
    const box = (line ?? row)?.querySelector("[data-state], [data-check]");
    if (row) {
      if (!row.querySelector("[data-cell]:disabled")) return; // it is being written: nothing moves under the hands
      if (!moving.includes(d.state)) return renew("row-" + d.id);
    } else if (!box || box.dataset.state !== d.state) return list();
    latest.set(id, d);
    progress(id, d);
  });
  addEventListener("pagehide", () => source.close());
}

// progress writes what an event says into the line of its draft while that is still on its way.
function progress(id, d) {
  const line = document.querySelector(`[data-draft="${id}"], [data-row="${id}"]`), bar = line?.querySelector("progress"), text = line?.querySelector(".state span");
  if (!bar || (line.querySelector("[data-state]")?.dataset.state ?? d.state) !== d.state) return;
  if (text && d.text) text.textContent = d.text;
  if (d.percent >= 0) bar.value = d.percent;
}

// latest holds what was told since the last copy was asked for: the copy may be older, and would set the progress back.
const latest = new Map();

// renew takes one part of the page, by its id, from a fresh copy. One copy is fetched at a time; a change meanwhile asks again.
let busy = false;
const asked = new Set();
async function renew(id) {
  asked.add(id);
  if (busy) return;
  busy = true;
  try {
    while (asked.size) {
      const ids = [...asked];
      asked.clear();
      latest.clear();
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const i of ids) {
        const from = document.getElementById(i), to = fresh.getElementById(i);
        if (!from || !to) continue;
        from.replaceWith(to);
        window.htmx?.process(to);
      }
      for (const [id, d] of latest) progress(id, d);
    }
  } catch { /* the next event tries again */ } finally {
    busy = false;
  }
}
