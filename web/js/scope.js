// The recording page's drawing: finer bars on a canvas, views, and a loop region through all lanes.
import { clock, play, seek, setLoop, state } from "./player.js";
import { store } from "./page.js";

export default function scope(el) {
  const d = el.dataset, seconds = +d.seconds || 0;
  views(el);
  if (seconds) loops(el, seconds);
  if (d.peaks) peaks(d.peaks).then(p => p && paint(el, p, d.tones)).catch(() => { /* the server's drawing stays */ });
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
  if (!answer.ok) return null;
  const v = new DataView(await answer.arrayBuffer());
  const version = v.getInt32(0, true);
  if (!(v.getUint32(4, true) & 1) || version < 1 || version > 2) return null;
  const length = v.getUint32(16, true), channels = version === 2 ? v.getInt32(20, true) : 1, start = version === 2 ? 24 : 20;
  const low = new Float32Array(length), high = new Float32Array(length);
  for (let i = 0, o = start; i < length && o + 2 * channels <= v.byteLength; i++) {
    for (let c = 0; c < channels; c++, o += 2) {
      low[i] = Math.min(low[i], v.getInt8(o));
      high[i] = Math.max(high[i], v.getInt8(o + 1));
    }
  }
  return { low, high, length };
}

function paint(el, p, tones) {
  const lane = el.querySelector(".lane-wave"), canvas = document.createElement("canvas"), g = canvas.getContext("2d");
  canvas.setAttribute("aria-hidden", "true");
  let top = 1;
  for (let i = 0; i < p.length; i++) top = Math.max(top, -p.low[i], p.high[i]);
  if (top < 32) return; // eight bits of a quiet sound are steps: the server's bars, normalized before, draw it better
  const draw = () => {
    const box = lane.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    if (!box.width || !box.height || !canvas.isConnected) return;
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    const css = getComputedStyle(el), colors = [...Array(8).keys()].map(i => resolve(g, css.getPropertyValue("--tone-" + i)));
    const gap = 2 * ratio, columns = Math.floor(canvas.width / gap), mid = canvas.height / 2, reach = mid * .94 / top;
    g.lineWidth = 1.4 * ratio;
    g.lineCap = "round";
    for (let t = 0; t < 8; t++) {
      g.strokeStyle = colors[t];
      g.beginPath();
      for (let x = 0; x < columns; x++) {
        if (+(tones[Math.floor(x / columns * tones.length)] ?? 0) !== t) continue;
        const from = Math.floor(x / columns * p.length), to = Math.max(from + 1, Math.floor((x + 1) / columns * p.length));
        let lo = 0, hi = 0;
        for (let i = from; i < to; i++) {
          lo = Math.min(lo, p.low[i]);
          hi = Math.max(hi, p.high[i]);
        }
        g.moveTo((x + .5) * gap, mid - Math.max(hi * reach, ratio / 2));
        g.lineTo((x + .5) * gap, mid - Math.min(lo * reach, -ratio / 2));
      }
      g.stroke();
    }
  };
  lane.append(canvas);
  new ResizeObserver(draw).observe(lane);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.addEventListener("am:theme", draw);
}

// resolve turns light-dark(…) into the color of the theme in use.
let probe;
function resolve(g, value) {
  if (!probe) {
    probe = document.createElement("i");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = value;
  return getComputedStyle(probe).color;
}

function loops(el, seconds) {
  const lanes = el.querySelector("[data-lanes]"), button = el.querySelector("[data-loop]"), text = el.querySelector("[data-loop-range]");
  let box = null, a = 0, b = 0;
  const show = () => {
    box.style.setProperty("--a", a / seconds * 100 + "%");
    box.style.setProperty("--b", b / seconds * 100 + "%");
    text.textContent = clock(a, seconds) + "–" + clock(b, seconds);
    [...box.children].forEach((grip, i) => {
      grip.setAttribute("aria-valuenow", (i ? b : a).toFixed(seconds < 1 ? 3 : 1));
      grip.setAttribute("aria-valuetext", clock(i ? b : a, seconds));
    });
  };
  const set = (from, to) => {
    a = Math.max(0, Math.min(from, to, seconds - .1));
    b = Math.min(seconds, Math.max(from, to, a + .1));
    if (!box) build();
    show();
    setLoop([a, b], el.dataset.sound);
  };
  const drop = () => {
    box?.remove();
    box = null;
    text.textContent = "";
  };
  const build = () => {
    box = document.createElement("div");
    box.className = "loop-box";
    for (const name of ["a", "b"]) {
      const grip = document.createElement("div");
      grip.className = "loop-grip " + name;
      grip.tabIndex = 0;
      grip.setAttribute("role", "slider");
      grip.setAttribute("aria-label", name === "a" ? "Loop starts" : "Loop ends");
      grip.setAttribute("aria-valuemin", "0");
      grip.setAttribute("aria-valuemax", seconds);
      grip.addEventListener("keydown", e => {
        const by = { ArrowRight: .1, ArrowLeft: -.1, PageUp: 1, PageDown: -1 }[e.key];
        if (!by) return;
        e.preventDefault();
        e.stopPropagation();
        name === "a" ? set(Math.min(a + by, b - .1), b) : set(a, Math.max(b + by, a + .1));
      });
      grip.addEventListener("pointerdown", e => {
        e.preventDefault();
        e.stopPropagation();
        grip.setPointerCapture(e.pointerId);
        grip.onpointermove = m => name === "a" ? set(Math.min(time(m), b - .1), b) : set(a, Math.max(time(m), a + .1));
        grip.onpointerup = grip.onpointercancel = () => { grip.onpointermove = null };
      });
      box.append(grip);
    }
    lanes.append(box);
  };
  const time = e => {
    const r = lanes.getBoundingClientRect();
    return Math.max(0, Math.min(1, (e.clientX - r.left) / r.width)) * seconds;
  };
  button.addEventListener("click", () => {
    if (box) return setLoop(false);
    if (state.sound?.id !== el.dataset.sound && el.dataset.hq) play(el);
    const now = state.sound?.id === el.dataset.sound ? state.audio.currentTime : 0;
    set(now, now + Math.min(seconds / 4, 4));
    seek(a);
  });
  // A drag over a lane marks a region; a press stays a press.
  lanes.addEventListener("pointerdown", e => {
    if (e.button || e.pointerType === "touch" || e.target.closest(".loop-grip")) return;
    const from = time(e), x = e.clientX;
    let dragged = false;
    const move = m => { if (dragged ||= Math.abs(m.clientX - x) > 6) set(from, time(m)) };
    const up = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      if (!dragged) return;
      const stop = c => c.stopPropagation(); // the click of this very drag, if there is one
      addEventListener("click", stop, true);
      setTimeout(() => removeEventListener("click", stop, true));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
  });
  // Whoever set the loop, the page shows it: also a region that was marked before this page was left and found again.
  const told = () => {
    if (!el.isConnected) return document.removeEventListener("am:loop", told);
    const r = state.region?.id === el.dataset.sound ? state.region : null;
    if (!r && box) drop();
    if (r && !box) {
      ({ from: a, to: b } = r);
      build();
      show();
    }
    button.setAttribute("aria-pressed", Boolean(box));
  };
  document.addEventListener("am:loop", told);
  told();
}
