// The beginnings of the sounds that a key may start next, as samples: such a sound starts within a block of the audio hardware, where
// an element must open, seek and decode first. What is longer than its beginning goes over to the element while it sounds.
import { go, output, over, state, take } from "./player.js";
import { beginning } from "./segment.js";

const most = 10; // seconds of a beginning
const bytes = 192 << 10; // that are fetched for it: ten seconds at 157 kbit/s
const held = 8; // beginnings in memory, 3.8 MB each at the most
const idle = 30; // seconds without sound after which the sound card may rest
const soon = .4; // seconds of a beginning that is heard before the element is asked: whoever runs through a list loads nothing else
const fade = .012; // seconds; a cut would click
const audible = .04; // seconds until an element's new volume is heard: what it has given to the sound card is as it was
const apart = .015; // seconds by which the element may miss the voice when it takes over
// The share of the output latency by which an element's clock is ahead of what is heard of it. Measured in Chromium at the monitor of a
// PulseAudio sink: of clicks 100 ms apart, the one at the change came 4 to 44 ms late as the clocks tell it, 11 ms early to 6 ms late so.
const ahead = .7;

const ready = new Map(); // address → { buffer, whole }, the one used last at the end; null when it cannot be decoded
let wanted = [], busy = false, resting;

// fetchAhead has the sounds at a list of addresses decoded, the first one first.
export async function fetchAhead(list) {
  output(); // opening the sound card takes longer than all else: before the key
  wanted = list;
  if (busy) return;
  busy = true;
  for (let next; (next = wanted.find(url => !ready.has(url)));) keep(next, await beginning(next, bytes, most).catch(() => null));
  for (const url of wanted) keep(url, ready.get(url));
  busy = false;
}

function keep(url, one) {
  ready.delete(url);
  ready.set(url, one);
  for (const old of ready.keys()) {
    if (ready.size <= held) break;
    if (!wanted.includes(old)) ready.delete(old);
  }
}

// voice is what the player takes for an element, for a sound whose beginning is here and covers a moment.
export function voice(url, from) {
  const one = ready.get(url), context = output();
  if (!one || from > one.buffer.duration - (one.whole ? .01 : 2)) return null;
  if (context.state === "running") return voiced(one, from, context);
  context.resume(); // it sleeps: the element is as fast
  return null;
}

function voiced({ buffer, whole }, from, context) {
  const node = context.createGain();
  let source = null, at = from, since = 0, rate = 1, volume = 1, muted = false, ended = false;
  const now = () => source ? Math.min(buffer.duration, at + Math.max(0, context.currentTime - since) * rate) : at;
  const loud = () => { node.gain.value = muted ? 0 : volume };
  const begin = () => {
    ended = false;
    source = new AudioBufferSourceNode(context, { buffer, playbackRate: rate });
    source.connect(node);
    since = context.currentTime;
    source.start(0, at);
    source.onended = () => {
      at = buffer.duration;
      source = null;
      if (state.head !== me) return;
      ended = whole;
      if (whole) return over();
      take(null); // the element is late, and goes on from here as soon as it can
      state.audio.play().catch(() => { /* it tells by its error event */ });
    };
  };
  const stop = (after = 0) => {
    if (!source) return;
    at = now();
    source.onended = null;
    source.stop(context.currentTime + after);
    source = null;
  };
  const leave = (after = 0) => {
    node.gain.setTargetAtTime(0, context.currentTime + after, fade / 4);
    stop(after + fade);
  };
  const me = {
    node, seeking: false,
    get ended() { return ended },
    get paused() { return !source },
    get currentTime() { return now() },
    set currentTime(t) {
      if (!whole && t > buffer.duration - 2) {
        take(null);
        state.audio.currentTime = t;
        return;
      }
      const playing = source;
      stop();
      at = Math.max(0, Math.min(buffer.duration, t));
      if (playing) begin();
    },
    set volume(v) { volume = v; loud() },
    set muted(v) { muted = v; loud() },
    get playbackRate() { return rate },
    set playbackRate(v) {
      if (v === rate) return;
      at = now();
      since = context.currentTime;
      rate = v;
      if (source) source.playbackRate.value = v;
    },
    async play() {
      if (source) return;
      if (ended) at = 0;
      begin();
      node.gain.cancelScheduledValues(0);
      loud();
      go();
      if (!whole) setTimeout(handOver, soon * 1e3, me, buffer.duration);
    },
    pause() {
      if (!source) return;
      if (state.head !== me) return leave(audible);
      leave();
      if (!whole) {
        state.audio.pause(); // it may be about to take over
        take(null); // by the next press it is there
      }
      go();
      rest(context);
    },
  };
  return me;
}

// rest lets the sound card sleep after a while without sound; the first sound after that is the element's.
function rest(context) {
  clearTimeout(resting);
  resting = setTimeout(() => state.head.paused ? context.suspend() : rest(context), idle * 1e3);
}

// handOver brings the element to where the voice is and lets it go on alone. It starts unheard, a little ahead; how long a start
// takes shows in how far it is off then, and the next try allows for that. A busy machine needs several; the last comes before end.
async function handOver(me, end) {
  const { audio } = state, still = () => state.head === me && !me.paused, sleep = s => new Promise(done => setTimeout(done, s * 1e3));
  const until = async f => { while (still() && !f()) await sleep(.02) };
  const off = () => audio.currentTime - me.currentTime + (audio.node ? 0 : (me.node.context.outputLatency || 0) * (1 - ahead));
  audio.preload = "auto";
  for (let lead = .05; still();) {
    await until(() => audio.readyState >= 3);
    if (!still()) return;
    audio.currentTime = me.currentTime + .3 + lead;
    await until(() => !audio.seeking && audio.readyState >= 3);
    await sleep(Math.max(0, off() - lead));
    if (!still()) return;
    audio.volume = 0;
    await audio.play().catch(() => { /* the voice goes on to its end */ });
    await sleep(.1);
    if (!still()) return;
    const far = off();
    if (Math.abs(far) < apart || me.currentTime > end - 1) return take(null, true);
    audio.pause();
    lead = Math.max(0, lead - far);
  }
}
