// The one player. It lives outside #main, so that navigation never stops it; its queue is the list a sound was started in.
import htmx from "../vendor/htmx/htmx.esm.min.js";
import { say, store } from "./page.js";

const bar = document.getElementById("player");
const $ = s => bar.querySelector(s);
const audio = new Audio();
audio.preload = "none";
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const headroom = .5; // room of 6 dB to lift quiet previews: volume ends at 1
// context is made for the first sound that needs it. amplifier lifts beyond that room; audio.node is what the element gives, which comes to it
// only when it must, for some systems stop Web Audio in the background; effect (stretch.js) stands between them, and is lag seconds late.
let context = null, amplifier = null, effect = null, lag = 0;
let head = audio; // what sounds: the element, or in its place a voice: a region that goes round (gapless.js), a sound's beginning (ahead.js)
let early = null; // early(url, seconds) is a voice that is ready to begin there, or nothing

// region is { id, from, to }: it belongs to one sound and waits while another plays. start is the share at which the next one begins.
let queue = [], goesOn = null, at = -1, loop = false, region = null, start = 0, volume = +(store.get("am.volume") ?? 1), muted = store.get("am.muted") === "1";

export const state = { audio, get head() { return head }, get sound() { return queue[at] }, get region() { return region }, get looping() { return looping() }, get length() { return length() }, get heard() { return heard() } };
// heard is the second of the sound that leaves the loudspeaker now: what Web Audio was given is on its way there still.
const heard = () => Math.max(Math.min(head.currentTime, inside()?.from ?? 0), head.currentTime - lag - (head.node && context.outputLatency || 0));
const inside = () => loop && region?.id === queue[at]?.id ? region : null;
const looping = () => Boolean(loop && (!region || inside()));

// clock writes seconds as 0:04.7, as the server does; in a sound that is less than a second long, 0.05 s.
export function clock(s, of) {
  if (of > 0 && Math.round(of * 100) < 100) return (s > 0 ? s : 0).toFixed(of < .02 ? 3 : 2) + " s";
  s = s > 0 ? Math.round(s * 10) / 10 : 0;
  if (s >= 600) {
    const r = Math.round(s), m = Math.floor(r / 60) % 60, two = n => String(n).padStart(2, "0");
    return r >= 3600 ? `${Math.floor(r / 3600)}:${two(m)}:${two(r % 60)}` : `${m}:${two(r % 60)}`;
  }
  return `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, "0")}`;
}

// read takes a sound from the element that carries it.
function read(el) {
  const d = el.dataset;
  return { id: d.sound, hq: d.hq, lq: d.lq, len: +d.len || 0, gain: +(d.gain ?? 0), title: d.title, by: d.by, url: d.at, act: d.act, actAt: d.actAt, wave: (el.querySelector("template")?.content ?? el).querySelector(".wave")?.outerHTML ?? "" };
}

const thrifty = () => navigator.connection?.saveData || /2g|3g/.test(navigator.connection?.effectiveType ?? "");
const source = s => thrifty() && s.lq || s.hq;

function loud() {
  const level = volume * headroom * 10 ** ((queue[at]?.gain ?? 0) / 20); // the server keeps the true peak below full scale
  for (const h of new Set([audio, head])) {
    h.muted = muted;
    h.volume = Math.min(1, level);
  }
  if (level > 1) amplify();
  if (!amplifier) return;
  amplifier.gain.value = Math.max(1, level);
  context.resume();
}

// output is where voices sound.
export function output() {
  if (!context) {
    context = new AudioContext();
    amplifier = context.createGain();
    amplifier.connect(context.destination);
    loud();
  }
  return context;
}

// amplify takes the element's sound through Web Audio too, from now on.
export function amplify() {
  output();
  if (!audio.node) {
    audio.node = context.createMediaElementSource(audio);
    connect();
  }
  return context;
}

// through puts a node before the amplifier that is some seconds of the sound late, or takes it out again (null, 0).
export function through(node, late) {
  lag = late;
  if (effect === node) return;
  effect?.disconnect();
  effect = node;
  connect();
}

function connect() {
  for (const from of [audio.node, head.node]) {
    from?.disconnect();
    from?.connect(effect ?? amplifier);
  }
  effect?.connect(amplifier);
}

// take lets a voice sound in place of the element, from the moment that the element has reached: an object with what the player
// uses of an element, and node. Without a voice the element goes on where the voice was; already tells that it is playing there.
export function take(voice, already) {
  const was = head;
  if (was === (voice ?? audio)) return;
  const playing = !was.paused, now = was.currentTime;
  head = voice ?? audio;
  if (amplifier) connect();
  loud();
  if (!voice && !already) audio.currentTime = now;
  if (playing && !already) head.play().catch(fail);
  was.pause();
  mark();
}

// play starts the sound of an element, at a share (0..1) of its length.
export function play(el, share = 0) {
  const list = el.closest("[data-queue]");
  const rows = list ? [...list.querySelectorAll("[data-hq]")] : [el];
  queue = rows.map(read);
  goesOn = null;
  at = rows.indexOf(el);
  open(share);
}

// more tells where the queue goes on behind its end: fetch gives the elements of the next sounds.
export function more(fetch) {
  goesOn = fetch;
  lengthen();
}
async function lengthen() {
  const fetch = goesOn;
  if (!fetch || at < queue.length - 2) return;
  goesOn = null; // one page at a time
  const rows = await fetch().catch(() => []), was = queue;
  if (!rows.length || queue !== was) return;
  queue.push(...rows.map(read));
  goesOn = fetch;
  shelve();
}

// relist makes a list that took another's place on the page the queue, behind or around what plays.
export function relist(list) {
  if (at < 0 || !list) return;
  const now = queue[at], rows = [...list.querySelectorAll("[data-hq]")].map(read);
  at = rows.findIndex(s => s.id === now.id);
  queue = at < 0 ? [now, ...rows] : rows;
  at = Math.max(at, 0);
  shelve();
  near();
}

// near has the beginnings of the sounds that a key would start next decoded: the neighbors, and the first of the list.
function near() {
  if (head.paused || thrifty()) return;
  const urls = [1, -1, 2, -at].map(by => queue[at + by]).filter(Boolean).map(source);
  import("./ahead.js").then(m => { early = m.voice; m.fetchAhead(urls) });
}

function open(share = 0) {
  const s = queue[at];
  if (!s) return;
  start = share || (inside() ? region.from / length() : 0);
  const url = source(s), was = head;
  head = !inside() && early?.(url, start * s.len) || audio; // a region is watched by the element's own time
  if (head !== audio) {
    start = 0;
    connect();
  }
  loud();
  if (head === audio) audio.src = url;
  head.play().catch(fail); // before anything is drawn
  if (was !== audio) was.pause();
  if (head !== audio) {
    audio.preload = "none"; // it is not needed yet
    audio.src = url;
    near();
  }
  bar.hidden = false;
  $(".player-title").textContent = s.title;
  $(".player-title").href = s.url;
  $(".player-by").textContent = s.by;
  $(".player-wave").innerHTML = s.wave;
  $("[data-length]").textContent = clock(s.len, s.len);
  offer();
  $(".player-wave").setAttribute("aria-valuemax", s.len);
  shelve();
  lengthen();
  mark();
  say(`Playing ${s.title}`);
  if (navigator.mediaSession) import("./session.js");
}

// offer is the one button: what the row of the sound says can be done with it.
function offer() {
  const s = queue[at], box = $("[data-act-box]");
  box.replaceChildren();
  if (s.act) {
    const a = document.createElement("a");
    a.className = "btn main";
    a.href = s.actAt;
    a.textContent = s.act;
    if (s.act === "Download") a.setAttribute("hx-boost", "false");
    box.append(a);
  }
  htmx.process(bar);
}

function fail(e) {
  if (e.name !== "AbortError") say(`${queue[at]?.title ?? "This sound"} cannot be played right now.`, true);
}

// length is the sound's own, as it is drawn; what is heard ends earlier where visitors get the beginning only.
const length = () => queue[at]?.len || end();
const end = () => Number.isFinite(audio.duration) && audio.duration || queue[at]?.len || 0;

export function toggle() {
  if (at < 0) {
    const first = document.activeElement?.closest("#main [data-hq]") ?? document.querySelector("#main [data-hq]");
    return first && play(first);
  }
  head.paused ? head.play().catch(fail) : head.pause();
}

export function step(by) {
  if (at < 0) return toggle();
  if (!queue[at + by]) return import("./row.js").then(m => m.edge(by));
  at += by;
  open();
  const row = document.querySelector("#main [data-queue] .playing");
  row?.scrollIntoView({ block: "nearest" });
  if (document.activeElement?.closest("#main [data-queue] [data-sound]")) row?.querySelector(".play")?.focus({ preventScroll: true }); // who walks with the keys stays where the sound is
}

export function seek(seconds) {
  if (at < 0) return;
  if (seconds > end() + .5 && end() < length() - .5) return say(`The first ${clock(end())} can be heard here. Sign in for the rest.`, true);
  head.currentTime = Math.max(0, Math.min(seconds, end() - .05));
  tick();
}

export const skip = by => seek(head.currentTime + by);

// setRegion marks a region in seconds of the sound with an id, or none (null), and tells whether to go round in it.
export function setRegion(r, round = loop) {
  region = r;
  loop = round;
  looped();
}
function looped() {
  $("[data-do=loop]").setAttribute("aria-pressed", looping());
  document.dispatchEvent(new CustomEvent("am:loop", { detail: looping() }));
}
// toggleLoop leaves a region marked; one of another sound gives way.
export const toggleLoop = () => setRegion(region?.id === queue[at]?.id ? region : null, !looping());

export function toggleMute() {
  muted = !muted;
  store.set("am.muted", +muted);
  volumeShown();
}

function volumeShown() {
  loud();
  $("[data-do=mute]").setAttribute("aria-pressed", muted);
  const use = $("[data-do=mute] use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, muted ? "#volume-x" : "#volume-2"));
  $("#volume").value = volume;
}

// shelve lists the queue where it can be opened.
function shelve() {
  const box = $("#queue"), held = box.contains(document.activeElement);
  box.replaceChildren(...queue.map((s, i) => {
    const li = document.createElement("li"), b = document.createElement("button"), time = document.createElement("span");
    b.type = "button";
    b.textContent = s.title;
    time.className = "num meta";
    time.textContent = clock(s.len, s.len);
    b.append(time);
    if (i === at) b.setAttribute("aria-current", "true");
    b.onclick = () => { at = i; open() };
    li.append(b);
    return li;
  }));
  if (held) box.querySelector("[aria-current]")?.focus();
}

// mark shows on the page what plays; the page may be a new one.
export function mark() {
  const id = queue[at]?.id, sounding = !!id && !head.paused;
  for (const el of document.querySelectorAll("#main [data-sound]")) {
    const on = el.dataset.sound === id;
    el.classList.toggle("playing", on);
    el.classList.toggle("sounding", on && sounding);
    if (on && el.dataset.hq && el.dataset.act !== queue[at].act) { // it came into the cart or the library meanwhile
      queue[at].act = el.dataset.act;
      queue[at].actAt = el.dataset.actAt;
      offer();
    }
    const word = el.querySelector(".play .vh"), does = (on && sounding ? "Pause " : "Play ") + (el.dataset.title ?? "");
    if (word && word.textContent !== does) word.textContent = does;
  }
  moving = [...document.querySelectorAll("#main .playing [data-seek]"), bar];
  bar.classList.toggle("sounding", sounding);
  $("[data-toggle-word]").textContent = sounding ? "Pause" : "Play";
  looped();
  tick();
}

// tick moves the playheads; words follow each tenth of a second, what screen readers hear each second.
let moving = [], told = "", second = -1;
export function tick() {
  const len = length(), r = inside();
  if (r && head === audio && !audio.seeking && audio.currentTime >= r.to) audio.currentTime = r.from;
  const now = heard();
  for (const el of moving) {
    const [from, to] = shown(el);
    el.style.setProperty("--p", len ? (Math.max(-.01, Math.min(1.01, (now / len - from) / (to - from))) * 100).toFixed(2) + "%" : "0%");
  }
  if (told === (told = clock(now, len))) return;
  $("[data-elapsed]").textContent = told;
  if (second === (second = Math.floor(now))) return;
  const wave = $(".player-wave");
  wave.setAttribute("aria-valuenow", second);
  wave.setAttribute("aria-valuetext", told);
}

let frame;
function run() {
  clearTimeout(frame);
  cancelAnimationFrame(frame);
  tick();
  if (!head.paused) frame = calm.matches && !inside() ? setTimeout(run, 250) : requestAnimationFrame(run);
}

export function go() {
  mark();
  run();
}
audio.addEventListener("play", go);
audio.addEventListener("pause", mark);
audio.addEventListener("loadedmetadata", () => {
  if (start) seek(start * length());
  start = 0;
});
audio.addEventListener("timeupdate", tick); // frames stop in a hidden tab, a loop must not
audio.addEventListener("error", () => audio.getAttribute("src") && fail({ name: "" }));
audio.addEventListener("playing", near);
audio.addEventListener("ended", over);

// over is the end of a sound, whatever sounded it.
export function over() {
  if (looping()) {
    head.currentTime = inside()?.from ?? 0;
    head.play().catch(fail);
  } else if (at + 1 < queue.length) step(1);
  else mark();
}

const acts = {
  toggle, prev: () => step(-1), next: () => step(1), loop: toggleLoop, mute: toggleMute,
  queue: () => shelf($("#queue").hidden),
  sheet() { $("[data-do=sheet]").setAttribute("aria-expanded", bar.classList.toggle("open")) },
};
// On a phone a tap anywhere, the title too, opens the sheet first; a link followed from the sheet puts it away.
const phone = matchMedia("(max-width: 48rem)");
bar.addEventListener("click", e => {
  const link = e.target.closest("a");
  if (!link || !phone.matches || e.detail === 0 || bar.classList.contains("open") === false && !link.closest(".player-what")) return;
  if (!bar.classList.contains("open")) {
    e.preventDefault();
    e.stopPropagation();
  }
  acts.sheet();
}, true);
function shelf(open) {
  $("#queue").hidden = !open;
  $("[data-do=queue]").setAttribute("aria-expanded", open);
}
document.addEventListener("keydown", e => {
  if (e.key !== "Escape" || $("#queue").hidden) return;
  if ($("#queue").contains(document.activeElement)) $("[data-do=queue]").focus();
  shelf(false);
});
bar.addEventListener("click", e => {
  const b = e.target.closest("[data-do]");
  if (b) acts[b.dataset.do]();
  else if (!e.target.closest("a, button, input, [data-seek], .queue")) acts.sheet();
});
$("#volume").addEventListener("input", e => {
  volume = +e.target.value;
  muted = false;
  store.set("am.volume", volume);
  volumeShown();
});
$(".player-wave").addEventListener("keydown", e => {
  const by = { ArrowRight: 5, ArrowLeft: -5, Home: -1e9, End: 1e9 }[e.key];
  if (!by) return;
  e.preventDefault();
  e.stopPropagation();
  skip(e.shiftKey ? Math.sign(by) : by);
});
volumeShown();

// A press on a play link starts at 0 or pauses; a press on a waveform starts there.
document.addEventListener("click", e => {
  if (!bar.contains(e.target) && e.target.isConnected) shelf(false);
  const link = e.target.closest("[data-play]");
  if (link && !(e.ctrlKey || e.metaKey || e.shiftKey)) {
    const el = link.closest("[data-hq]");
    if (!el) return;
    e.preventDefault();
    return el.dataset.sound === queue[at]?.id ? toggle() : play(el);
  }
  const lane = e.target.closest("[data-seek]");
  if (!lane || e.target.closest(".loop-grip")) return;
  const share = shareAt(lane, e.clientX);
  const el = lane.closest("[data-hq]");
  if (!el || el.dataset.sound === queue[at]?.id) {
    seek(share * length());
    if (head.paused && el) head.play().catch(fail);
  } else play(el, share);
});

// shown tells which part of the sound a lane draws, as shares: all of it, or what a scope is zoomed to.
const shown = lane => lane.dataset.shown?.split(" ").map(Number) ?? [0, 1];

// shareAt is the share of the sound's length at a place of a lane.
export function shareAt(lane, x) {
  const box = lane.getBoundingClientRect(), [from, to] = shown(lane), share = (x - box.left) / box.width;
  return from + (to - from) * (getComputedStyle(lane).direction === "rtl" ? 1 - share : share);
}
