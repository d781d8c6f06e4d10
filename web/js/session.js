// What the system shows and its keys do: title, slider, the buttons of a keyboard or a headset. It comes with the first sound.
import { seek, skip, state, step, toggle } from "./player.js";

const session = navigator.mediaSession;
const on = (name, f) => { try { session.setActionHandler(name, f) } catch { /* an action this browser does not know */ } };
on("play", () => state.sound && state.head.paused && toggle());
on("pause", () => state.head.paused || toggle());
on("previoustrack", () => step(-1));
on("nexttrack", () => step(1));
on("seekto", d => seek(d.seekTime));
on("seekbackward", () => skip(-5));
on("seekforward", () => skip(5));

// position lets the system draw its own slider.
function position() {
  const duration = state.length;
  if (duration) session.setPositionState?.({ duration, position: Math.min(state.head.currentTime, duration) });
}

// told says what plays, whenever the page is told too.
let last;
function told() {
  const s = state.sound;
  if (s && last !== (last = s)) session.metadata = new MediaMetadata({ title: s.title, artist: s.by });
  position();
}
document.addEventListener("am:loop", told);
state.audio.addEventListener("seeked", position);
told();
