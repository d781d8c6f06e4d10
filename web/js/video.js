// The sound against a video of the visitor's own. The file stays in this browser's memory: it is shown by an object URL, which is
// given up with the page, and no request or storage ever carries it.
import { play, seek, state } from "./player.js";
import { tempoOf } from "./alter.js";
import { readTime } from "./region.js";

export default function video(s) {
  const { el, seconds } = s, id = el.dataset.sound, panel = el.querySelector("[data-panel=video]"), $ = name => panel.querySelector(`[data-video${name && "-" + name}]`);
  const picture = $(""), drop = $("drop"), desk = $("desk"), track = $("track"), block = $("sound"), press = $("play"), says = $("says");
  const offsetField = $("offset"), frameField = $("frame"), rate = $("rate");
  let url = null, offset = 0, together = false, frame = 0;

  const choose = file => {
    if (!file) return;
    if (!file.type.startsWith("video/")) return say("This is not a video that a browser can show.");
    away();
    url = URL.createObjectURL(file);
    picture.src = url;
    $("name").textContent = file.name;
    drop.hidden = true;
    desk.hidden = false;
    say("");
  };
  const away = () => {
    stop();
    if (url) URL.revokeObjectURL(url);
    url = null;
    picture.removeAttribute("src");
    picture.load();
    $("file").value = "";
    drop.hidden = false;
    desk.hidden = true;
  };
  const say = text => { says.textContent = text };
  picture.addEventListener("error", () => {
    if (!url) return;
    away();
    say("This browser cannot decode that video. MP4 with H.264 and WebM work nearly everywhere.");
  });
  picture.addEventListener("loadedmetadata", () => {
    if (picture.duration === Infinity) picture.currentTime = 1e7; // a recorder's file does not say its length: its end does
    else ready();
  });
  picture.addEventListener("durationchange", () => {
    if (picture.readyState && Number.isFinite(picture.duration) && picture.currentTime > picture.duration - .5) ready();
  });
  const ready = () => {
    picture.currentTime = 0;
    set(Math.min(offset, picture.duration));
    press.focus();
  };
  $("file").addEventListener("change", e => choose(e.target.files[0]));
  $("away").addEventListener("click", () => {
    away();
    $("file").focus();
  });
  panel.addEventListener("dragover", e => {
    e.preventDefault();
    drop.classList.add("over");
  });
  panel.addEventListener("dragleave", () => drop.classList.remove("over"));
  panel.addEventListener("drop", e => {
    e.preventDefault();
    drop.classList.remove("over");
    choose(e.dataTransfer.files[0]);
  });

  // --- the two times. What is laid against the video is the region that is looped, else the whole sound, at the tempo that is heard.
  const part = () => el.dataset.from ? [+el.dataset.from, +el.dataset.to] : [0, seconds];
  const lasts = () => (part()[1] - part()[0]) / tempoOf(id);
  const mine = () => state.sound?.id === id;
  const rounds = () => state.looping && mine() && state.region?.id === id;
  const videoAt = t => offset + (t - part()[0]) / tempoOf(id);
  const soundAt = v => part()[0] + (v - offset) * tempoOf(id);
  const fps = () => +rate.value;

  const set = to => {
    offset = Math.max(-lasts(), Math.min(picture.duration || 0, Math.round(to * 1000) / 1000));
    show();
    if (together) align(true);
  };
  const show = () => {
    const whole = picture.duration || 0;
    if (!whole) return;
    if (document.activeElement !== offsetField) offsetField.value = offset.toFixed(3);
    if (document.activeElement !== frameField) frameField.value = Math.round(offset * fps());
    track.style.setProperty("--a", offset / whole * 100 + "%");
    track.style.setProperty("--w", Math.min(lasts(), whole - offset) / whole * 100 + "%");
    block.setAttribute("aria-valuemin", "0");
    block.setAttribute("aria-valuemax", whole.toFixed(3));
    block.setAttribute("aria-valuenow", offset.toFixed(3));
    block.setAttribute("aria-valuetext", `${offset.toFixed(3)} seconds, frame ${Math.round(offset * fps())}`);
    const n = track.querySelector(".wave");
    if (!n) block.append(el.querySelector(".bigwave").cloneNode(true));
    const [a, b] = part();
    block.querySelector(".wave").setAttribute("viewBox", `${a / seconds * 1260} 0 ${(b - a) / seconds * 1260} 200`);
  };
  offsetField.addEventListener("change", () => {
    const t = readTime(offsetField.value.replace(/^[-−]/, ""));
    if (t !== null) set(/^[-−]/.test(offsetField.value) ? -t : t);
    offsetField.value = offset.toFixed(3);
  });
  frameField.addEventListener("change", () => {
    if (Number.isFinite(+frameField.value)) set(Math.round(+frameField.value) / fps());
    frameField.value = Math.round(offset * fps());
  });
  rate.addEventListener("change", show);
  const nudge = by => set((Math.round(offset * fps()) + by) / fps());
  for (const b of panel.querySelectorAll("[data-video-nudge]")) b.addEventListener("click", () => nudge(+b.dataset.videoNudge));
  block.addEventListener("keydown", e => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[e.key];
    if (by) nudge(by);
    else if (e.key === "Home") set(0);
    else if (e.key === "End") set(picture.duration);
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
  // The block is dragged; a press beside it moves the video.
  track.addEventListener("pointerdown", e => {
    const box = track.getBoundingClientRect(), place = x => (x - box.left) / box.width * picture.duration, on = block.contains(e.target), off = place(e.clientX) - offset;
    track.setPointerCapture(e.pointerId);
    const move = m => on ? set(place(m.clientX) - off) : scrub(place(m.clientX));
    if (!on) move(e);
    track.onpointermove = move;
    track.onpointerup = track.onpointercancel = () => { track.onpointermove = null };
  });
  const scrub = v => {
    picture.currentTime = Math.max(0, Math.min(picture.duration - .01, v));
    if (mine() && v >= offset && v < offset + lasts()) seek(soundAt(v));
    head();
  };

  // --- together: while the sound plays the video follows it, before and after the sound the video runs alone.
  const start = () => {
    together = true;
    if (picture.ended || picture.currentTime >= picture.duration - .05) picture.currentTime = 0;
    label();
    picture.play().catch(() => say("The browser refused to play the video."));
    align(true);
    run();
  };
  const stop = () => {
    together = false;
    cancelAnimationFrame(frame);
    picture.pause();
    if (mine() && !state.head.paused) state.head.pause();
    label();
  };
  const label = () => {
    press.querySelector("span").textContent = together ? "Stop" : "Play together";
    const use = press.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, together ? "#pause" : "#play"));
  };
  press.addEventListener("click", () => together ? stop() : start());
  picture.addEventListener("ended", () => {
    if (!together) return;
    rounds() ? align(true) : stop();
  });

  // align brings both to the same moment. exact moves the sound to where the video is; else the video follows the sound, by a
  // slightly other rate while it is near, for a jump would be seen.
  const align = exact => {
    const v = picture.currentTime, inside = v >= offset - .02 && v < Math.min(offset + lasts(), picture.duration) - .02;
    const sounding = mine() && !state.head.paused;
    if (exact) {
      if (inside) {
        const t = Math.max(part()[0], soundAt(v));
        if (!mine()) play(el, t / seconds);
        else {
          seek(t);
          if (state.head.paused) state.head.play().catch(() => say("The browser refused to play the sound."));
        }
      } else if (sounding) state.head.pause();
      return;
    }
    if (!sounding) {
      if (inside && !state.audio.seeking && !(mine() && state.head.ended)) align(true);
      picture.playbackRate = 1;
      return;
    }
    const drift = v - videoAt(state.heard);
    if (Math.abs(drift) > .2) picture.currentTime = Math.max(0, Math.min(picture.duration - .01, v - drift));
    else picture.playbackRate = Math.abs(drift) > .02 ? 1 - Math.sign(drift) * .05 : 1;
    panel.dataset.drift = drift.toFixed(3);
    if (picture.paused && !picture.ended) picture.play().catch(() => { /* said when it was started */ });
  };
  const head = () => {
    if (picture.duration) track.style.setProperty("--p", picture.currentTime / picture.duration * 100 + "%");
  };
  const run = () => {
    if (!together || !el.isConnected) return;
    if (!picture.seeking) align(false);
    head();
    frame = requestAnimationFrame(run);
  };
  // The player's own pause stops both.
  let was = false;
  const told = () => {
    if (!el.isConnected) {
      document.removeEventListener("am:loop", told);
      if (url) URL.revokeObjectURL(url);
      return picture.pause();
    }
    const now = mine() && !state.head.paused;
    if (together && was && !now && !state.head.ended && !state.audio.seeking && state.sound && picture.currentTime > offset && picture.currentTime < offset + lasts() - .1) stop();
    was = now;
  };
  document.addEventListener("am:loop", told);
  el.addEventListener("am:region", show);
  el.addEventListener("am:altered", show);
  picture.addEventListener("timeupdate", head);
  picture.addEventListener("seeked", head);
  $("volume").addEventListener("input", e => {
    picture.volume = +e.target.value;
    picture.muted = picture.volume === 0;
    $("volume-says").textContent = picture.muted ? "off" : Math.round(picture.volume * 100) + " %";
  });
  choose($("file").files[0]); // chosen while this script was on its way
  return { open: shown => { if (!shown) stop() } };
}
