// A short region goes round from memory, sample by sample, in place of the audio element, which would stop for a moment at each turn.
import { go, output, state, take } from "./player.js";
import { decode } from "./segment.js";

const longest = 30, margin = 3; // seconds; the margin lets a handle move without decoding anew
let part = null, busy = false;

// follow is called whenever something of the player changed, and while it plays.
export async function follow() {
  const { head, audio, region: r } = state, voice = head.turn ? head : null;
  if (!state.looping || !r || r.to - r.from > longest) return voice && take(null);
  if (voice) return covers(r) ? voice.turn(r) : take(null);
  if (head !== audio) return take(null); // a beginning (ahead.js) makes way; the element's next moment calls again
  if (audio.paused || busy || audio.currentTime < r.from || audio.currentTime >= r.to) return;
  const url = audio.currentSrc;
  if (part?.failed === url) return;
  if (part?.url !== url || !covers(r)) {
    busy = true;
    try {
      part = { url, ...await decode(url, r.from - margin, r.to + margin, state.sound.len) };
    } catch {
      part = { failed: url }; // the element goes on looping by seeking
    }
    busy = false;
    return follow();
  }
  take(voiced(part, r, audio.currentTime));
}

const covers = r => part?.buffer && part.url === state.audio.currentSrc && part.start <= r.from && part.start + part.buffer.duration >= Math.min(r.to, (state.sound?.len ?? 0) - .05);

// voiced is what the player takes for an element.
function voiced({ buffer, start }, r, from) {
  const context = output(), node = context.createGain();
  let source = null, at = from, since = 0, rate = 1, volume = 1, muted = false, { from: a, to: b } = r;
  const now = () => {
    if (!source) return at;
    let t = at + (context.currentTime - since) * rate;
    if (t >= b) t = a + (t - a) % (b - a);
    return t;
  };
  const loud = () => { node.gain.value = muted ? 0 : volume };
  const stop = () => {
    at = now();
    source?.stop();
    source?.disconnect();
    source = null;
  };
  const begin = () => {
    source = new AudioBufferSourceNode(context, { buffer, loop: true, loopStart: a - start, loopEnd: b - start, playbackRate: rate });
    source.connect(node);
    since = context.currentTime;
    source.start(0, Math.max(0, at - start));
  };
  return {
    node, seeking: false,
    get paused() { return !source },
    get currentTime() { return now() },
    set currentTime(t) {
      if (t < a || t >= b) {
        take(null);
        state.audio.currentTime = t;
        return;
      }
      const playing = source;
      stop();
      at = t;
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
    // turn moves the ends while it goes round.
    turn(r) {
      if (r.from === a && r.to === b) return;
      const t = now(), playing = source;
      stop();
      ({ from: a, to: b } = r);
      at = t >= a && t < b ? t : a;
      if (playing) begin();
    },
    async play() {
      if (source) return;
      begin(); // at once: who asks in between must not be told that it rests
      go();
      await context.resume();
    },
    pause() {
      stop();
      go();
    },
  };
}

state.audio.addEventListener("timeupdate", follow);
