// A region of a recording: marked by a drag, keys, fields or the address (#t=1.2,3.4, a media fragment as W3C defines it), looped,
// shared as a link. Others read it from data-from and data-to of the scope (seconds) and hear of it by the event "am:region".
import { play, seek, setRegion, state } from "./player.js";

const longest = 30; // seconds of a region that goes round without a gap; a longer one is looped by seeking

export default function region(s) {
  const { el, lanes, seconds } = s, id = el.dataset.sound, least = Math.min(.02, seconds / 4);
  const bar = el.querySelector("[data-region]"), button = el.querySelector("[data-loop]");
  const edges = Object.fromEntries([...bar.querySelectorAll("[data-edge]")].map(i => [i.dataset.edge, i]));
  const mine = () => state.region?.id === id ? state.region : null;
  let box = null, a = 0, b = 0, sharing;

  const put = () => {
    const span = s.to - s.from, at = t => ((t - s.from) / span * 100).toFixed(4) + "%";
    box.style.setProperty("--a", at(a));
    box.style.setProperty("--b", at(b));
    [...box.children].forEach((grip, i) => {
      const t = i ? b : a;
      grip.hidden = t < s.from || t > s.to;
      grip.setAttribute("aria-valuenow", t.toFixed(3));
      grip.setAttribute("aria-valuetext", stamp(t));
    });
  };
  const show = () => {
    if (!box) build();
    put();
    bar.hidden = false;
    for (const [name, t] of [["from", a], ["to", b]]) if (document.activeElement !== edges[name]) edges[name].value = stamp(t);
    bar.querySelector("[data-region-length]").textContent = `${(b - a).toFixed(3)} s`;
    bar.querySelector("[data-region-link]").dataset.copy = location.href.replace(/#.*/, "") + fragment();
  };
  const fragment = () => `#t=${+a.toFixed(3)},${+b.toFixed(3)}`;
  // tell says what the region is; the address follows when the hand rests, for browsers limit how often it may change.
  const tell = () => {
    const r = mine();
    if (r) {
      el.dataset.from = a.toFixed(3);
      el.dataset.to = b.toFixed(3);
    } else {
      delete el.dataset.from;
      delete el.dataset.to;
    }
    el.dispatchEvent(new CustomEvent("am:region", { bubbles: true, detail: r }));
    clearTimeout(sharing);
    sharing = setTimeout(() => {
      if (!el.isConnected) return;
      const hash = mine() ? fragment() : /^#t=/.test(location.hash) ? "" : location.hash;
      if (hash !== location.hash) history.replaceState(history.state, "", location.pathname + location.search + hash);
    }, 300);
  };
  const set = (from, to, round) => {
    from = Math.max(0, Math.min(from, seconds));
    to = Math.max(0, Math.min(to, seconds));
    a = Math.max(0, Math.min(from, to, seconds - least));
    b = Math.min(seconds, Math.max(from, to, a + least));
    setRegion({ id, from: a, to: b }, round);
    tell();
  };
  const clear = () => {
    setRegion(null, false);
    tell();
  };
  const build = () => {
    box = document.createElement("div");
    box.className = "loop-box";
    for (const name of ["a", "b"]) {
      const grip = document.createElement("div"), to = t => name === "a" ? set(Math.min(t, b - least), b) : set(a, Math.max(t, a + least));
      grip.className = "loop-grip " + name;
      grip.tabIndex = 0;
      grip.setAttribute("role", "slider");
      grip.setAttribute("aria-label", name === "a" ? "Region starts" : "Region ends");
      grip.setAttribute("aria-valuemin", "0");
      grip.setAttribute("aria-valuemax", seconds);
      grip.addEventListener("keydown", e => {
        const small = Math.min(.1, (s.to - s.from) / 50) * (e.shiftKey ? .1 : 1);
        const by = { ArrowRight: small, ArrowUp: small, ArrowLeft: -small, ArrowDown: -small, PageUp: 10 * small, PageDown: -10 * small, Home: -seconds, End: seconds }[e.key];
        if (!by) return;
        e.preventDefault();
        e.stopPropagation();
        to((name === "a" ? a : b) + by);
      });
      grip.addEventListener("pointerdown", e => {
        e.preventDefault();
        e.stopPropagation();
        grip.focus();
        grip.setPointerCapture(e.pointerId);
        grip.onpointermove = m => to(s.place(m.clientX));
        grip.onpointerup = grip.onpointercancel = () => { grip.onpointermove = null };
      });
      box.append(grip);
    }
    lanes.append(box);
  };
  // now is where the playhead of this sound stands.
  const now = () => state.sound?.id === id ? state.heard : 0;

  for (const [name, input] of Object.entries(edges)) {
    const take = () => {
      const t = readTime(input.value);
      if (t === null) input.setAttribute("aria-invalid", "true");
      else {
        input.removeAttribute("aria-invalid");
        name === "from" ? set(t, Math.max(b, t + least)) : set(Math.min(a, t - least), t);
        input.value = stamp(name === "from" ? a : b);
      }
    };
    input.addEventListener("change", take);
    input.addEventListener("keydown", e => e.key === "Enter" && take());
  }
  bar.querySelector("[data-region-clear]").addEventListener("click", () => {
    clear();
    button.focus();
  });

  let gapless;
  const told = () => {
    if (!el.isConnected) return document.removeEventListener("am:loop", told);
    const r = mine();
    if (r) {
      ({ from: a, to: b } = r);
      show();
    } else if (box) {
      box.remove();
      box = null;
      bar.hidden = true;
    }
    button.setAttribute("aria-pressed", Boolean(r && state.sound?.id !== id ? r : r && state.looping));
    if (r && state.looping && state.sound?.id === id && b - a <= longest && !state.head.paused || gapless) {
      (gapless ??= import("./gapless.js")).then(m => m.follow());
    }
  };
  document.addEventListener("am:loop", told);
  el.addEventListener("am:shown", () => box && put());

  const hooks = {
    get: () => mine() && { from: a, to: b },
    set, clear,
    // loop goes round in the region; without one it marks the next seconds first.
    loop() {
      if (mine()) return setRegion(mine(), !state.looping || state.sound?.id !== id);
      if (state.sound?.id !== id && el.dataset.hq) play(el);
      const from = Math.max(now(), s.from), to = Math.min(from + Math.min(seconds / 4, 4, s.to - s.from), seconds);
      set(from, to, true);
      seek(a);
    },
    mark(edge) {
      const t = now();
      if (edge === "from") set(t, mine() && b > t + least ? b : Math.min(seconds, t + Math.min(seconds / 4, 4)), mine() ? undefined : true);
      else set(mine() && a < t - least ? a : Math.max(0, t - Math.min(seconds / 4, 4)), t, mine() ? undefined : true);
    },
    // drag marks from where the pointer went down; a press stays a press.
    drag(e) {
      const from = s.place(e.clientX), x = e.clientX;
      let dragged = false;
      const move = m => { if (dragged ||= Math.abs(m.clientX - x) > 6) set(from, s.place(m.clientX), true) };
      const up = () => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", up);
        removeEventListener("pointercancel", up);
        if (!dragged) return;
        const stop = c => c.stopPropagation(); // the click of this very drag, if there is one
        addEventListener("click", stop, true);
        setTimeout(() => removeEventListener("click", stop, true));
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", up);
      addEventListener("pointercancel", up);
    },
    // read takes the region from the address: seconds or clock times, either end may be missing.
    read() {
      const [from, to] = location.hash.replace(/^#t=(npt:)?/, "").split(",").map(readTime);
      if (from === null && to == null || (to ?? seconds) <= (from ?? 0)) return;
      set(from ?? 0, to ?? seconds, true);
    },
  };
  // Back may show an address from before the last drag: what the player holds of this sound is newer.
  if (/^#t=/.test(location.hash) && !mine()) hooks.read();
  told();
  return hooks;
}

// stamp writes seconds as 0:03.250.
export function stamp(t) {
  const ms = Math.round(t * 1000), m = Math.floor(ms / 60000), rest = ((ms % 60000) / 1000).toFixed(3).padStart(6, "0");
  return m < 60 ? `${m}:${rest}` : `${Math.floor(m / 60)}:${String(m % 60).padStart(2, "0")}:${rest}`;
}

// readTime reads 3.25, 0:03.25 or 1:00:03.25; null when it is none of them.
export function readTime(text) {
  const m = /^(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d*)?)$/.exec(text?.trim().replace(",", ".") ?? "");
  return m ? (m[1] || 0) * 3600 + (m[2] || 0) * 60 + +m[3] : null;
}
