// Zoom and scroll of a scope, with an overview. The waveform comes from the stored peaks: the file whose pairs fit the view, of the
// finest one only the blocks in view; where its pairs are wider than a column, from the samples of the preview. The spectrogram is
// the server's picture, stretched; of a long sound the level whose columns fit the view (levels.js), until it is short enough to compute it from
// the preview (energy.js): at once, or minute by minute.
import { clock, state, tick } from "./player.js";
import { columns, palette, readPairs, readPeaks } from "./scope.js";
import levelsOf from "./levels.js";
import { decode } from "./segment.js";

const block = 4096; // pairs that are fetched at once
const computed = 120; // seconds of view from which on the spectrogram is computed
const patient = 1200; // seconds of view from which on that is done piece by piece, once the view rests: 10 MB of preview for all of it
const minute = 60; // seconds of preview in memory then, 23 MB
const rest = 700; // milliseconds
const rows = 160;

export default function zoom(s) {
  const { el, lanes, seconds } = s, lane = lanes.querySelector(".lane-wave"), spec = lanes.querySelector(".lane-spec"), map = el.querySelector("[data-map]");
  const says = el.querySelector("[data-scope-says]"), least = Math.min(seconds, .02), axis = el.querySelector(".axis"), firstAxis = axis.innerHTML;
  const files = s.urls.map(url => ({ url })), hq = el.dataset.hq;
  const span = () => s.to - s.from, zoomed = () => span() < seconds;

  const to = (from, length) => {
    length = Math.max(least, Math.min(seconds, length));
    from = Math.max(0, Math.min(seconds - length, from));
    if (from === s.from && length === span()) return;
    s.show(from, from + length);
  };
  const by = (factor, around = head() ?? s.from + span() / 2) => to(around - (around - s.from) * factor, span() * factor);
  // head is where the playhead stands, when it is in view.
  const head = () => {
    const t = state.sound?.id === el.dataset.sound ? state.heard : -1;
    return t >= s.from && t <= s.to ? t : null;
  };

  // Each view is drawn at once from what is there, and again when what is better has come.
  let turn = 0, soon;
  const shown = () => {
    const at = `${s.from / seconds} ${s.to / seconds}`;
    for (const l of lanes.querySelectorAll("[data-seek]")) zoomed() ? l.dataset.shown = at : delete l.dataset.shown;
    el.classList.toggle("zoomed", zoomed());
    axes();
    overview();
    stretch();
    tick();
    turn++;
    clearTimeout(soon);
    soon = setTimeout(better, 60, turn);
  };
  el.addEventListener("am:shown", shown);

  async function better(now) {
    const current = () => now === turn && el.isConnected;
    try {
      await fromPeaks();
      if (current()) s.draw?.();
      if (current()) await fromLevels(current);
      if (current()) await fromPreview(current);
    } catch { /* what was drawn before stays */ }
    if (current()) tell();
  }

  // --- waveform
  const firstColumns = s.columns;
  let samples = null; // { data, rate, start }: the part of the preview that was decoded last
  let tones = null; // { from, to, tone }: what energy.js found in the view
  const pairSeconds = f => f.head.zoom / f.head.rate;
  s.columns = n => {
    const tone = tones && tones.from === s.from && tones.to === s.to ? Array.from({ length: n }, (_, x) => tones.tone[Math.floor((x + .5) / n * tones.tone.length)]) : null;
    const { data, rate, start } = samples ?? {}, fine = span() / n;
    if (data && files[0]?.head && fine < pairSeconds(files[0]) && start <= s.from + 1e-3 && start + data.length / rate >= s.to - .05) {
      return { ...columns({ low: data, high: data, length: data.length }, (s.from - start) * rate, (s.to - start) * rate, n), tone };
    }
    for (const f of files) {
      if (!f.head || pairSeconds(f) > fine && f !== files[0]) continue;
      const a = s.from / pairSeconds(f), b = s.to / pairSeconds(f);
      if (f.all) return { ...columns(f.all, a, b, n), tone };
      const first = Math.floor(a / block), last = Math.floor(Math.min(b, f.head.total - 1) / block);
      if (b - a > 16 * block || !f.blocks || last - first > 16) continue;
      const list = [];
      for (let k = first; k <= last && f.blocks.get(k); k++) list.push(f.blocks.get(k));
      if (list.length <= last - first) continue;
      return { ...columns(joined(list), a - first * block, b - first * block, n), tone };
    }
    const coarse = files.findLast(f => f.all);
    if (coarse) return { ...columns(coarse.all, s.from / pairSeconds(coarse), s.to / pairSeconds(coarse), n), tone };
    return zoomed() ? { low: new Float32Array(n), high: new Float32Array(n) } : firstColumns?.(n);
  };

  // fromPeaks fetches what the view needs of the file whose pairs are as narrow as its columns.
  async function fromPeaks() {
    const fine = span() / Math.max(1, lane.clientWidth / 2);
    for (let i = files.length - 1; i >= 0; i--) {
      const f = files[i];
      if (i) {
        if (!f.head) await whole(f);
      } else await blocks(f);
      if (pairSeconds(f) <= fine) break;
    }
  }
  async function whole(f) {
    f.all = readPeaks(await (await fetch(f.url)).arrayBuffer());
    f.head = f.all;
  }
  async function blocks(f) {
    if (!f.head) {
      const { v, whole } = await piece(f, 0, 24);
      f.head = readPeaks(v.buffer);
      if (whole) f.all = f.head; // a server without ranges gave everything
      f.blocks = new Map();
    }
    if (f.all) return;
    const first = Math.floor(s.from / pairSeconds(f) / block), last = Math.floor(Math.min(s.to / pairSeconds(f), f.head.total - 1) / block);
    if (last - first > 16) return;
    await Promise.all(Array.from({ length: last - first + 1 }, (_, k) => first + k).filter(k => !f.blocks.has(k)).map(async k => {
      const wide = 2 * f.head.channels, from = f.head.start + k * block * wide;
      f.blocks.set(k, null);
      try {
        const { v } = await piece(f, from, from + block * wide);
        f.blocks.set(k, readPairs(v, 0, f.head.channels));
        for (const old of f.blocks.keys()) if (f.blocks.size > 64 && old !== k) f.blocks.delete(old); // a megabyte of floats at most
      } catch {
        f.blocks.delete(k);
      }
    }));
  }
  async function piece(f, from, to) {
    const answer = await fetch(f.url, { headers: { Range: `bytes=${from}-${to - 1}` } });
    if (!answer.ok) throw new Error(`${f.url}: ${answer.status}`);
    return { v: new DataView(await answer.arrayBuffer()), whole: answer.status === 200 };
  }

  // --- spectrogram
  const svg = spec?.querySelector(".spec"), canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  canvas.hidden = true;
  spec?.append(canvas);
  let worker, energy = null, loudest = -Infinity; // energy: { from, to, alpha, columns, of } of a view, and what it is made of
  function stretch() {
    svg?.setAttribute("viewBox", `${s.from / seconds * 800} 0 ${span() / seconds * 800} 200`);
    canvas.hidden = !energy || energy.from > s.from + 1e-9 || energy.to < s.to - 1e-9 || !zoomed();
    svg?.classList.toggle("under", !canvas.hidden);
    if (!canvas.hidden) paint();
  }
  function paint() {
    const { alpha, columns: n } = energy, per = n / (energy.to - energy.from), a = (s.from - energy.from) * per, width = wide(), step = span() * per / width;
    const g = canvas.getContext("2d"), colors = palette(el).map(c => rgb(g, c)), image = g.createImageData(width, rows);
    canvas.width = width;
    canvas.height = rows;
    const ink = Array.from({ length: rows }, (_, r) => blend(colors, (r + .5) / rows));
    for (let x = 0; x < width; x++) {
      // Of several columns the strongest; between two, what lies between.
      const middle = Math.max(0, a + (x + .5) * step - .5), i = Math.min(n - 1, Math.floor(middle)), next = Math.min(n - 1, i + 1), w = middle - i;
      const first = Math.floor(a + x * step + 1e-6), last = Math.min(n, Math.floor(a + (x + 1) * step + 1e-6));
      for (let r = 0; r < rows; r++) {
        const o = 4 * ((rows - 1 - r) * width + x);
        [image.data[o], image.data[o + 1], image.data[o + 2]] = ink[r];
        let v = 0;
        if (step < 1) v = alpha[i * rows + r] * (1 - w) + alpha[next * rows + r] * w;
        else for (let k = first; k < last; k++) v = Math.max(v, alpha[k * rows + r]);
        image.data[o + 3] = v;
      }
    }
    g.putImageData(image, 0, 0);
  }
  const repaint = () => el.isConnected && stretch();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  document.addEventListener("am:theme", repaint);

  // fromLevels takes what ingest made of the original, unless the view is there already, and as fine.
  const levels = el.dataset.levels ? levelsOf(el.dataset.levels) : null;
  async function fromLevels(current) {
    if (!levels || !zoomed() || !spec?.checkVisibility()) return;
    const found = await levels.view(s.from, s.to, wide());
    const finer = !canvas.hidden && (energy.to - energy.from) / energy.columns <= (found?.seconds ?? Infinity);
    if (found && current() && !finer) show({ ...found, of: "original" });
  }

  async function fromPreview(current) {
    if (!zoomed() || !hq) return;
    // A column of two points that was made of the original is better than megabytes of preview.
    if (span() > computed) return span() <= patient && !(levels?.finest <= 2 * span() / wide()) && pieces(current);
    const f = files[0], deep = f?.head && span() / (lane.clientWidth / 2) < pairSeconds(f);
    if (!deep && !(spec?.checkVisibility())) return;
    if (!samples || samples.start > Math.max(0, s.from - .05) + 1e-3 || samples.start + samples.data.length / samples.rate < Math.min(s.to + .05, samples.ends ?? Infinity)) {
      // A little more than the view, so that scrolling finds it there.
      const more = Math.max(.5, span() / 2), { buffer, start } = await decode(hq, s.from - more, s.to + more, seconds);
      const data = buffer.getChannelData(0).slice(), other = buffer.numberOfChannels > 1 ? buffer.getChannelData(1) : data;
      for (let i = 0; i < data.length; i++) data[i] = (data[i] + other[i]) * 64; // the mean, in steps of the peaks: full scale is 128
      samples = { data, rate: buffer.sampleRate, start, ends: s.to + more >= seconds ? start + buffer.duration : undefined };
      if (!current()) return;
    }
    s.draw?.();
    if (samples.start + samples.data.length / samples.rate < s.from + span() / 2) return; // only the beginning may be heard here
    const n = wide(), answer = await ask(samples, s.from, s.to, 0, n, n);
    if (answer.id === turn && current()) computedView(answer, n);
  }

  const wide = () => Math.max(64, Math.min(1024, Math.ceil(lane.clientWidth || spec.clientWidth)));

  // ask has the columns from at of all computed, which show the seconds from a to b.
  function ask({ data, rate, start }, from, to, at, columns, total) {
    const a = Math.floor((from - start) * rate), b = Math.ceil((to - start) * rate), pad = 2048;
    const cut = data.slice(Math.max(0, a - pad), b + pad);
    const id = turn;
    worker ??= new Worker(el.dataset.energy);
    return new Promise((yes, no) => {
      worker.onmessage = e => e.data.id === id && yes(e.data); // not what an earlier view asked for
      worker.onerror = no;
      worker.postMessage({ id, samples: cut, rate, from: a - Math.max(0, a - pad), to: b - Math.max(0, a - pad), columns, rows, top: loudest, at, total }, [cut.buffer]);
    });
  }

  function computedView(answer, n) {
    loudest = answer.top;
    tones = { from: s.from, to: s.to, tone: answer.tones };
    show({ from: s.from, to: s.to, alpha: answer.alpha, columns: n, of: "preview" });
    s.draw?.();
  }
  function show(found) {
    energy = found;
    stretch();
  }

  // pieces computes a long view: a column is a second wide there, and the server's picture has a few columns for all of it.
  async function pieces(current) {
    if (!spec?.checkVisibility() || navigator.connection?.saveData) return;
    tell(); // what is there meanwhile
    await new Promise(done => setTimeout(done, rest));
    const n = wide(), each = span() / n;
    let part = null, answer = null;
    for (let at = 0; at < n;) {
      if (!current()) return;
      const columns = Math.min(n - at, Math.max(1, Math.floor(minute / each))), from = s.from + at * each, to = from + columns * each;
      if (!part || part.start > Math.max(0, from - .05) || part.start + part.data.length / part.rate < Math.min(to, seconds - .05)) {
        const { buffer, start } = await decode(hq, from - .1, to + .1, seconds), data = buffer.getChannelData(0), other = buffer.numberOfChannels > 1 ? buffer.getChannelData(1) : data;
        for (let i = 0; i < data.length; i++) data[i] = (data[i] + other[i]) * 64;
        part = { data, rate: buffer.sampleRate, start };
        if (!current() || start + buffer.duration < Math.min(to, seconds) - 1) return; // only the beginning may be heard here
      }
      answer = await ask(part, from, to, at, columns, n);
      if (!current() || answer.id !== turn) return;
      at += columns;
    }
    computedView(answer, n);
  }

  // tell says what the drawing is made from: it is not the same at every zoom.
  function tell() {
    if (!says) return;
    const deep = files[0]?.head && samples && span() / (lane.clientWidth / 2) < pairSeconds(files[0]);
    says.textContent = !zoomed() ? "" : `${clock(s.from, seconds)}–${clock(s.to, seconds)}, waveform from the ${deep ? "preview" : "original"}` + (spec?.checkVisibility() ? `, spectrogram ${canvas.hidden ? "overview" : `from the ${energy.of}`}` : "");
  }

  // --- axis and overview
  function axes() {
    if (!zoomed()) {
      axis.innerHTML = firstAxis;
      return;
    }
    const most = Math.max(2, Math.floor(axis.clientWidth / 90)), step = steps.find(v => span() / v <= most) ?? steps.at(-1);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), list = [];
    for (let k = Math.ceil(s.from / step - 1e-9); k * step <= s.to; k++) {
      const t = k * step, share = (t - s.from) / span();
      if (share < .03 || share > .97) continue;
      const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
      text.setAttribute("x", (share * 100).toFixed(3) + "%");
      text.setAttribute("y", "17");
      text.setAttribute("text-anchor", "middle");
      text.textContent = label(t, digits);
      list.push(text);
    }
    axis.replaceChildren(...list);
  }

  let frame = null;
  function overview() {
    map.hidden = !zoomed();
    if (map.hidden) return;
    if (!frame) {
      map.append(el.querySelector(".bigwave").cloneNode(true));
      frame = document.createElement("span");
      frame.className = "map-window";
      map.append(frame);
    }
    frame.style.setProperty("--a", s.from / seconds * 100 + "%");
    frame.style.setProperty("--b", s.to / seconds * 100 + "%");
    map.setAttribute("aria-valuenow", Math.round(span() < seconds ? s.from / (seconds - span()) * 100 : 0));
    map.setAttribute("aria-valuetext", `${clock(s.from, seconds)} to ${clock(s.to, seconds)} of ${clock(seconds, seconds)}`);
  }
  map.id ||= "map-" + el.dataset.sound;
  lanes.id ||= "lanes-" + el.dataset.sound;
  map.setAttribute("aria-controls", lanes.id);
  // The window follows the pointer; a press beside it brings its middle there.
  map.addEventListener("pointerdown", e => {
    const box = map.getBoundingClientRect(), place = x => (x - box.left) / box.width * seconds, t = place(e.clientX);
    const off = t >= s.from && t <= s.to ? t - s.from : span() / 2, move = m => to(place(m.clientX) - off, span());
    map.setPointerCapture(e.pointerId);
    move(e);
    map.onpointermove = move;
    map.onpointerup = map.onpointercancel = () => { map.onpointermove = null };
  });
  map.addEventListener("keydown", e => {
    const at = { ArrowLeft: s.from - span() / 10, ArrowRight: s.from + span() / 10, PageUp: s.from - span(), PageDown: s.from + span(), Home: 0, End: seconds }[e.key];
    if (at === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    to(at, span());
  });
  // The axis is the place to drag the view itself.
  axis.addEventListener("pointerdown", e => {
    if (!zoomed()) return;
    const from = s.from, x = e.clientX, per = span() / axis.clientWidth;
    axis.setPointerCapture(e.pointerId);
    axis.onpointermove = m => to(from - (m.clientX - x) * per, span());
    axis.onpointerup = axis.onpointercancel = () => { axis.onpointermove = null };
  });

  // Two fingers zoom, one scrolls what is zoomed; up and down stays the page's.
  const fingers = new Map();
  const grip = () => {
    const [p, q] = [...fingers.values()];
    return { x: q ? (p + q) / 2 : p, wide: q ? Math.max(10, Math.abs(p - q)) : 0 };
  };
  let before = null, moved = false, settled;
  function touch(e) {
    if (e.target.closest(".loop-grip")) return;
    if (e.isPrimary) fingers.clear(); // the first finger of a gesture: whatever ended unseen is over
    fingers.set(e.pointerId, e.clientX);
    before = grip();
    if (fingers.size > 1) return;
    clearTimeout(settled);
    moved = false;
  }
  lanes.addEventListener("pointermove", e => {
    if (!fingers.has(e.pointerId)) return;
    fingers.set(e.pointerId, e.clientX);
    const after = grip(), at = s.place(before.x), width = lanes.clientWidth;
    if (fingers.size > 1) {
      const length = Math.max(least, Math.min(seconds, span() * before.wide / after.wide));
      to(at - (after.x - lanes.getBoundingClientRect().left) / width * length, length);
      moved = true;
    } else if (zoomed()) {
      to(s.from - (after.x - before.x) / width * span(), span());
      moved ||= Math.abs(after.x - before.x) > 3;
    }
    before = after;
  });
  const lift = e => {
    if (!fingers.delete(e.pointerId)) return;
    before = fingers.size ? grip() : null;
    if (moved && !fingers.size) settled = setTimeout(() => { moved = false }, 50); // the click of this gesture comes at once, if it comes
  };
  lanes.addEventListener("click", e => moved && e.stopPropagation(), true); // it was a gesture, not a press
  lanes.addEventListener("pointerup", lift);
  lanes.addEventListener("pointercancel", lift);
  el.classList.add("pinch");

  return {
    to, by, touch,
    press: key => key === "0" ? to(0, seconds) : by(key === "+" ? .5 : 2),
    wheel(e) {
      if (e.ctrlKey) return by(1.0015 ** (e.deltaY * (e.deltaMode ? 33 : 1)), s.place(e.clientX));
      const move = e.deltaX || (e.shiftKey ? e.deltaY : 0);
      if (move) to(s.from + move * (e.deltaMode ? 33 : 1) / lanes.clientWidth * span(), span());
    },
  };
}

const steps = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];

// label writes a time of the axis: 0:04, 0:04.25, 1:02:00.
function label(t, digits) {
  const h = Math.floor(t / 3600 + 1e-9), m = Math.floor((t - h * 3600) / 60 + 1e-9), rest = Math.max(0, t - h * 3600 - m * 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return h ? `${h}:${String(m).padStart(2, "0")}:${rest}` : `${m}:${rest}`;
}

function joined(list) {
  if (list.length === 1) return list[0];
  const length = list.reduce((n, b) => n + b.length, 0), low = new Float32Array(length), high = new Float32Array(length);
  let at = 0;
  for (const b of list) {
    low.set(b.low, at);
    high.set(b.high, at);
    at += b.length;
  }
  return { low, high, length };
}

// rgb resolves any color of the theme to three bytes.
function rgb(g, color) {
  g.fillStyle = color;
  g.fillRect(0, 0, 1, 1);
  return [...g.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

// blend is the color of a height (0 to 1), as the page's gradient has it.
function blend(colors, height) {
  const at = height * 7, i = Math.min(6, Math.floor(at)), w = at - i;
  return colors[i].map((v, k) => v * (1 - w) + colors[i + 1][k] * w);
}
