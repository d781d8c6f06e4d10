// The upload page: many files and folders, three at a time, resumable (tus 1.0), each with its progress. What was not
// finished is remembered under am.up.FINGERPRINT until it is done, so that picking the file again goes on where it stopped.
import live from "./live.js";
import { say, store } from "./page.js";

const chunk = 8 << 20, parallel = 3, version = { "Tus-Resumable": "1.0.0" };

export default function upload(root, htmx) {
  live(root);
  const drop = root.querySelector("[data-drop]");
  if (!drop) return;
  const box = root.querySelector("[data-uploads]"), list = root.querySelector("[data-upload-list]"), sum = root.querySelector("[data-uploads-sum]"), all = root.querySelector("[data-pause-all]");
  const jobs = [];
  let paused = false;

  const pump = () => {
    const running = jobs.filter(j => j.state === "sending").length;
    for (const j of jobs.filter(j => j.state === "waiting").slice(0, Math.max(0, parallel - running))) if (!paused) send(j);
    const done = jobs.filter(j => j.state === "done").length;
    box.hidden = !list.children.length;
    sum.textContent = jobs.length ? `${done} of ${jobs.length} done` : "";
  };
  const add = files => {
    for (const f of files) {
      if (!f.size) { line(f.name, list).fail("The file is empty."); continue }
      if (+root.dataset.max && f.size > +root.dataset.max) { line(f.name, list).fail("The file is larger than this site takes."); continue }
      const key = "am.up." + [f.webkitRelativePath || f.path || f.name, f.size, f.lastModified].join("|");
      if (jobs.some(j => j.key === key && j.state !== "failed")) continue;
      list.querySelector(`[data-left="${CSS.escape(key)}"]`)?.remove();
      const j = { file: f, key, state: "waiting", ui: line(f.name, list, f.size) };
      j.ui.button("Pause", b => {
        if (j.state === "sending" || j.state === "waiting") {
          j.state = "paused";
          j.stop?.();
          b.textContent = "Resume";
          j.ui.say("Paused");
        } else if (j.state === "paused" || j.state === "failed") {
          j.state = "waiting";
          b.textContent = "Pause";
        }
        pump();
      });
      jobs.push(j);
    }
    pump();
  };
  const send = async j => {
    j.state = "sending";
    try {
      const got = await transfer(j);
      j.state = "done";
      store.del(j.key);
      j.ui.done(got);
      refresh(htmx);
    } catch (e) {
      if (j.state === "paused") return;
      j.state = "failed";
      j.ui.fail(e.message, true);
    }
    pump();
  };

  const take = input => {
    add(input.files);
    input.value = "";
  };
  root.addEventListener("change", e => { if (e.target.matches("[data-pick]")) take(e.target) });
  all.addEventListener("click", () => {
    paused = !paused;
    all.textContent = paused ? "Resume all" : "Pause all";
    for (const j of jobs) {
      if (paused && (j.state === "sending" || j.state === "waiting")) { j.state = "paused"; j.stop?.(); j.ui.say("Paused") }
      else if (!paused && j.state === "paused") j.state = "waiting";
    }
    pump();
  });
  for (const [name, on] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    drop.addEventListener(name, e => {
      e.preventDefault();
      drop.classList.toggle("over", on);
    });
  }
  drop.addEventListener("drop", async e => add(await dropped(e.dataTransfer)));
  addEventListener("beforeunload", e => { if (root.isConnected && jobs.some(j => j.state === "sending")) e.preventDefault() });
  left(list, pump);
  for (const input of root.querySelectorAll("[data-pick]")) if (input.files?.length) take(input); // chosen before this script came
  pump();
}

// dropped collects files of a drop, folders included.
async function dropped(data) {
  const entries = [...data.items].map(i => i.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...data.files];
  const out = [];
  const walk = async entry => {
    if (entry.isFile) {
      const f = await new Promise((ok, no) => entry.file(ok, no));
      f.path = entry.fullPath;
      out.push(f);
    } else {
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((ok, no) => reader.readEntries(ok, no));
        if (!some.length) break;
        for (const e of some) await walk(e);
      }
    }
  };
  for (const e of entries) await walk(e);
  return out;
}

// left lists uploads of an earlier visit that wait for their file.
function left(list, changed) {
  for (let i = 0; i < localStorage.length; i++) {
    const key = localStorage.key(i);
    if (!key.startsWith("am.up.")) continue;
    let kept;
    try { kept = JSON.parse(store.get(key)) } catch { continue }
    const ui = line(kept.name, list, kept.size);
    ui.el.dataset.left = key;
    ui.say("Not finished. Choose the same file again and it goes on where it stopped.");
    ui.button("Forget", () => {
      fetch(kept.url, { method: "DELETE", headers: version }).catch(() => { /* it expires by itself */ });
      store.del(key);
      ui.el.remove();
      changed();
    });
  }
}

function line(name, list, size) {
  const el = document.createElement("li"), what = document.createElement("div"), title = document.createElement("span"), text = document.createElement("span"), wave = document.createElement("div"), bar = document.createElement("progress");
  el.className = "upload-line";
  what.className = "row-what";
  title.className = "row-title";
  title.textContent = name;
  text.className = "row-by";
  text.setAttribute("role", "status");
  wave.className = "row-wave";
  bar.max = 100;
  bar.value = 0;
  bar.setAttribute("aria-label", "Progress of " + name);
  what.append(title, text);
  wave.append(bar);
  el.append(what, wave);
  list.append(el);
  list.closest("[hidden]")?.removeAttribute("hidden");
  const ui = {
    el,
    say(s) { if (text.textContent !== s) text.textContent = s },
    progress(sent, total, rate) {
      bar.value = sent / total * 100;
      const remain = rate > 0 ? (total - sent) / rate : 0;
      ui.say(`${Math.floor(bar.value)} %` + (remain > 1 ? ` · ${Math.floor(remain / 60)}:${String(Math.floor(remain % 60)).padStart(2, "0")} left` : ""));
    },
    fail(s) { el.classList.add("err"); ui.say(s); el.querySelector("button")?.replaceChildren("Try again") },
    done({ sha, repeated, recording }) {
      bar.value = 100;
      ui.say(repeated ? "You sent this before; it was not taken twice." : "Uploaded. It is being analyzed." + (sha ? " SHA-256 " + sha.slice(0, 16) + "…" : ""));
      if (repeated && recording) {
        const a = document.createElement("a");
        a.href = `/recordings/${recording}/edit`;
        a.textContent = "See it";
        text.append(" ", a);
      }
      el.querySelector("button")?.remove();
    },
    button(label, f) {
      const b = document.createElement("button");
      b.type = "button";
      b.className = "btn";
      b.textContent = label;
      b.addEventListener("click", () => { el.classList.remove("err"); f(b) });
      el.append(b);
    },
  };
  ui.say(size ? "Waiting" : "");
  return ui;
}

// refresh takes the list of drafts anew from the server.
let fresh;
function refresh() {
  clearTimeout(fresh);
  fresh = setTimeout(() => document.dispatchEvent(new Event("am:drafts")), 300);
}

const wait = ms => new Promise(ok => setTimeout(ok, ms));
const b64 = s => btoa(String.fromCharCode(...new TextEncoder().encode(s)));

// transfer sends one file and answers what the server says of it: its SHA-256, and the recording that it is or was before. Else
// it throws an error with a sentence.
async function transfer(j) {
  const endpoint = document.querySelector("[data-tus]").dataset.tus;
  let kept = null, offset = 0, tries = 0, got = {}, started = Date.now(), base = 0;
  try { kept = JSON.parse(store.get(j.key)) } catch { /* not remembered */ }
  let url = kept?.url;
  for (;;) {
    if (j.state !== "sending") throw Error("Paused");
    try {
      if (!url) {
        const names = ["filename " + b64(j.file.name)];
        if (j.file.type) names.push("filetype " + b64(j.file.type));
        const path = j.file.webkitRelativePath || j.file.path;
        if (path) names.push("relativePath " + b64(path));
        const made = await request(j, "POST", endpoint, { "Upload-Length": String(j.file.size), "Upload-Metadata": names.join(",") });
        if (made.status !== 201) throw refusal(made);
        url = new URL(made.getResponseHeader("Location"), location.href).href;
        store.set(j.key, JSON.stringify({ url, name: j.file.name, size: j.file.size }));
        offset = 0;
      } else if (offset === 0 || tries) {
        const head = await request(j, "HEAD", url, {});
        if (head.status === 404 || head.status === 410 || head.status === 403) {
          url = null;
          store.del(j.key);
          continue;
        }
        if (head.status >= 400) throw refusal(head);
        offset = +head.getResponseHeader("Upload-Offset");
        got = whole(head);
        base = offset;
        started = Date.now();
      }
      while (offset < j.file.size) {
        const part = j.file.slice(offset, offset + chunk), headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
        const sum = await checksum(part);
        if (sum) headers["Upload-Checksum"] = sum;
        const answer = await request(j, "PATCH", url, headers, part, sent => j.ui.progress(offset + sent, j.file.size, (offset + sent - base) / ((Date.now() - started) / 1000)));
        if (answer.status !== 204 && answer.status !== 200) throw refusal(answer);
        offset = +answer.getResponseHeader("Upload-Offset");
        got = whole(answer);
        tries = 0;
      }
      return got;
    } catch (e) {
      if (j.state !== "sending") throw e;
      if (e.final || ++tries > 8) throw e;
      j.ui.say(navigator.onLine ? "The connection broke. Trying again…" : "Offline. It goes on when the network is back.");
      await wait(Math.min(30000, 500 * 2 ** tries));
    }
  }
}

// whole reads what an answer says of a file that arrived whole.
function whole(x) {
  const h = n => x.getResponseHeader(n);
  return { sha: h("Upload-SHA256"), repeated: h("Upload-Repeated"), recording: h("Upload-Recording") };
}

// refusal turns an answer into an error; what a retry cannot mend is final.
function refusal(x) {
  let text = "";
  const type = x.getResponseHeader("Content-Type") ?? "";
  if (type.includes("json")) try { text = JSON.parse(x.responseText).detail ?? "" } catch { /* no sentence */ }
  else if (type.startsWith("text/plain")) text = x.responseText.slice(0, 300);
  if (x.status === 401) text = "You were signed out. Sign in and choose the file again; what was sent is kept.";
  const e = Error(text || `The server refused the file (${x.status}).`);
  e.final = x.status >= 400 && x.status < 500 && ![409, 423, 429, 460].includes(x.status);
  return e;
}

// checksum is the tus checksum of a chunk; browsers offer it only on https and localhost.
async function checksum(part) {
  if (!globalThis.crypto?.subtle) return "";
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await part.arrayBuffer()));
  return "sha256 " + btoa(String.fromCharCode(...sum));
}

function request(j, method, url, headers, body, progress) {
  return new Promise((ok, no) => {
    const x = new XMLHttpRequest();
    x.open(method, url);
    for (const [k, v] of Object.entries({ ...version, ...headers })) x.setRequestHeader(k, v);
    if (progress) x.upload.onprogress = e => progress(e.loaded);
    x.onload = () => ok(x);
    x.onerror = x.ontimeout = () => no(Error("The connection broke."));
    x.onabort = () => no(Error("Paused"));
    j.stop = () => x.abort();
    x.send(body);
  });
}
