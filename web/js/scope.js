// The recording page's drawing: finer bars on a canvas, views. What works on it comes when it is first used: a region (region.js),
// zoom (zoom.js), tempo and pitch (alter.js), the visitor's own video (video.js).
import { state } from "./player.js";
import { store } from "./page.js";

// A scope is shared by all that work on it: s.from and s.to are the seconds that its lanes show, s.columns(n) gives what the
// waveform draws there, and "am:shown" on s.el tells that they changed.
export default function scope(el) {
  const d = el.dataset, lanes = el.querySelector("[data-lanes]"), seconds = +d.seconds || 0, urls = d.peaks?.split(" ").filter(Boolean) ?? [];
  const s = { el, lanes, seconds, from: 0, to: seconds, urls, tones: d.tones ?? "" };
  s.place = x => {
    const box = lanes.getBoundingClientRect();
    return Math.max(0, Math.min(seconds, s.from + (x - box.left) / box.width * (s.to - s.from)));
  };
  s.show = (from, to) => {
    s.from = from;
    s.to = to;
    el.dispatchEvent(new Event("am:shown"));
  };
  views(el);
  // The coarsest file that still has a pair for every column of a wide screen: an hour comes in as many bytes as a minute.
  const level = Math.max(0, Math.min(urls.length - 1, Math.floor(Math.log(seconds * 48000 / 256 / 3000) / Math.log(8))));
  if (urls.length) peaks(urls[level]).then(p => p && paint(s, p)).catch(() => { /* the server's drawing stays */ });
  if (seconds) lazy(s);
}

function lazy(s) {
  const { el, lanes } = s, id = el.dataset.sound, made = {};
  // Named one by one, so that the bundler sees them.
  const load = { region: () => import("./region.js"), zoom: () => import("./zoom.js"), alter: () => import("./alter.js"), video: () => import("./video.js") };
  s.use = name => made[name] ??= load[name]().then(m => m.default(s));
  el.addEventListener("click", e => {
    const b = e.target.closest("[data-loop], [data-mark], [data-zoom], [data-panel-open]")?.dataset;
    if (!b) return;
    if (b.zoom) s.use("zoom").then(z => z.press(b.zoom));
    else if (b.panelOpen) panel(b.panelOpen);
    else s.use("region").then(r => b.mark ? r.mark(b.mark) : r.loop());
  });
  const panel = name => {
    const box = el.querySelector(`[data-panel=${name}]`);
    box.hidden = !box.hidden;
    el.querySelector(`[data-panel-open=${name}]`).setAttribute("aria-expanded", !box.hidden);
    s.use(name).then(m => m.open?.(!box.hidden));
  };
  lanes.addEventListener("pointerdown", e => {
    if (e.pointerType === "touch") s.use("zoom").then(z => z.touch(e));
    else if (!e.button && !e.target.closest(".loop-grip")) s.use("region").then(r => r.drag(e));
  });
  lanes.addEventListener("wheel", e => {
    if (!e.ctrlKey && s.to - s.from === s.seconds) return;
    if (e.ctrlKey || e.shiftKey || e.deltaX) e.preventDefault();
    s.use("zoom").then(z => z.wheel(e));
  }, { passive: false });
  lanes.addEventListener("pointerenter", () => s.use("region"), { once: true }); // so that the first drag begins where the pointer went down
  // Whoever set the region, the page shows it: its address, or the player since before this page was left and found again.
  if (state.region?.id === id || /^#t=/.test(location.hash)) s.use("region");
  addEventListener("hashchange", function look() {
    if (!el.isConnected) return removeEventListener("hashchange", look);
    if (/^#t=/.test(location.hash)) s.use("region").then(r => r.read());
  });
}

function views(el) {
  const saved = store.get("am.view");
  for (const r of el.querySelectorAll("[data-view-set]")) {
    if (r.value === saved) {
      r.checked = true;
      el.dataset.view = saved;
    }
    r.addEventListener("change", () => {
      el.dataset.view = r.value;
      store.set("am.view", r.value);
    });
  }
}

// peaks reads an audiowaveform file (version 1 or 2, 8 bit): minimum and maximum of each stretch, over all channels.
async function peaks(url) {
  const answer = await fetch(url);
  return answer.ok ? readPeaks(await answer.arrayBuffer()) : null;
}

export function readPeaks(bytes) {
  const v = new DataView(bytes), version = v.getInt32(0, true);
  if (!(v.getUint32(4, true) & 1) || version < 1 || version > 2) return null;
  const channels = version === 2 ? v.getInt32(20, true) : 1, start = version === 2 ? 24 : 20;
  return { ...readPairs(v, start, channels), rate: v.getInt32(8, true), zoom: v.getInt32(12, true), total: v.getUint32(16, true), channels, start };
}

export function readPairs(v, start, channels) {
  const length = Math.floor((v.byteLength - start) / 2 / channels), low = new Float32Array(length), high = new Float32Array(length);
  for (let i = 0, o = start; i < length; i++) {
    for (let c = 0; c < channels; c++, o += 2) {
      low[i] = Math.min(low[i], v.getInt8(o));
      high[i] = Math.max(high[i], v.getInt8(o + 1));
    }
  }
  return { low, high, length };
}

function paint(s, p) {
  const { el, lanes, tones } = s, lane = lanes.querySelector(".lane-wave"), canvas = document.createElement("canvas"), g = canvas.getContext("2d");
  canvas.setAttribute("aria-hidden", "true");
  let top = 1;
  for (let i = 0; i < p.length; i++) top = Math.max(top, -p.low[i], p.high[i]);
  s.top = top;
  const quiet = top < 32; // eight bits of a quiet sound are steps: the server's bars, normalized before, draw it better
  s.columns = n => columns(p, 0, p.length, n);
  s.draw = () => {
    const box = lane.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    canvas.hidden = quiet && s.to - s.from === s.seconds;
    if (!box.width || !box.height || !canvas.isConnected || canvas.hidden) return;
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    const colors = palette(el), gap = 2 * ratio, n = Math.floor(canvas.width / gap), mid = canvas.height / 2, reach = mid * .94 / s.top;
    const { low, high, tone } = s.columns(n);
    g.lineWidth = 1.4 * ratio;
    g.lineCap = "round";
    for (let t = 0; t < 8; t++) {
      g.strokeStyle = colors[t];
      g.beginPath();
      for (let x = 0; x < n; x++) {
        if ((tone?.[x] ?? +(tones[Math.floor((s.from + (x + .5) / n * (s.to - s.from)) / s.seconds * tones.length)] ?? 0)) !== t) continue;
        g.moveTo((x + .5) * gap, mid - Math.max(high[x] * reach, ratio / 2));
        g.lineTo((x + .5) * gap, mid - Math.min(low[x] * reach, -ratio / 2));
      }
      g.stroke();
    }
  };
  lane.append(canvas);
  new ResizeObserver(s.draw).observe(lane);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => el.isConnected && s.draw());
  document.addEventListener("am:theme", () => el.isConnected && s.draw());
  el.addEventListener("am:shown", s.draw);
}

// columns brings the pairs [from, to) to n columns; the ends may lie between pairs.
export function columns(p, from, to, n) {
  const low = new Float32Array(n), high = new Float32Array(n), step = (to - from) / n;
  for (let x = 0; x < n; x++) {
    const a = Math.max(0, Math.floor(from + x * step)), b = Math.min(p.length, Math.max(a + 1, Math.floor(from + (x + 1) * step)));
    for (let i = a; i < b; i++) {
      low[x] = Math.min(low[x], p.low[i]);
      high[x] = Math.max(high[x], p.high[i]);
    }
  }
  return { low, high };
}

// palette reads the eight tones of the theme in use; light-dark(…) is resolved by giving it to an element.
let probe;
export function palette(el) {
  if (!probe) {
    probe = document.createElement("i");
    probe.hidden = true;
    document.body.append(probe);
  }
  const css = getComputedStyle(el);
  return [...Array(8).keys()].map(i => {
    probe.style.color = css.getPropertyValue("--tone-" + i);
    return getComputedStyle(probe).color;
  });
}
