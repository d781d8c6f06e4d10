// Progress without reloading: server-sent events "draft" with {"id", "state", "text", "percent"} update the line of a
// draft; when a state changes, the list is taken anew from the server. Without an address the page has its reload link.
export default function live(root) {
  const url = root.dataset.events;
  document.addEventListener("am:drafts", () => root.isConnected && renew());
  if (!url) return;
  const source = new EventSource(url);
  source.addEventListener("draft", e => {
    if (!root.isConnected) return source.close();
    const d = JSON.parse(e.data), li = root.querySelector(`[data-draft="${CSS.escape(String(d.id))}"], [data-row="${CSS.escape(String(d.id))}"]`);
    const box = li?.querySelector("[data-state]");
    if (!box || box.dataset.state !== d.state) return renew();
    const text = box.querySelector(".state span");
    if (d.text && text) text.textContent = d.text;
    const bar = li.querySelector("progress");
    if (bar && d.percent >= 0) bar.value = d.percent;
  });
  addEventListener("pagehide", () => source.close());
}

let renewing = false;
async function renew() {
  const old = document.getElementById("draft-list");
  if (!old || renewing) return;
  renewing = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("draft-list");
    if (fresh) {
      old.replaceWith(fresh);
      window.htmx?.process(fresh);
    }
  } finally {
    renewing = false;
  }
}
