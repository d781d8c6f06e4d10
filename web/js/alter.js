// Tempo and pitch of what is heard. Tempo alone is the browser's own time-stretch; a pitch needs stretch.js: the element then plays
// faster or slower without keeping its pitch, and the worklet shifts to the pitch that is asked for.
import { amplify, state, through } from "./player.js";
import { say } from "./page.js";

const notes = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
let chosen = { tempo: 1, pitch: 0 }, node = null, loading = null, script = ""; // chosen.id is the sound that they belong to

export default function alter(s) {
  const { el } = s, d = el.dataset, id = d.sound, panel = el.querySelector("[data-panel=alter]"), $ = name => panel.querySelector(`[data-${name}]`);
  const bpm = +d.bpm || 0, target = $("target");
  script = d.stretch;
  const mine = () => chosen.id === id ? chosen : { tempo: 1, pitch: 0 };
  const show = () => {
    const { tempo, pitch } = mine();
    $("tempo").value = Math.round(tempo * 100);
    $("pitch").value = pitch;
    $("tempo-says").textContent = percent(tempo);
    $("pitch-says").textContent = semitones(pitch);
    $("tempo").setAttribute("aria-valuetext", percent(tempo));
    $("pitch").setAttribute("aria-valuetext", semitones(pitch));
    if (target && document.activeElement !== target) target.value = +(bpm * tempo).toFixed(1);
    const parts = [];
    if (bpm) parts.push(tempo === 1 ? `${bpm} BPM` : `${bpm} → ${+(bpm * tempo).toFixed(1)} BPM`);
    if (d.musicKey) parts.push(pitch % 12 ? `${d.musicKey} → ${transposed(d.musicKey, pitch)}` : d.musicKey);
    $("altered").textContent = parts.join(" · ");
    $("alter-reset").disabled = tempo === 1 && !pitch;
  };
  const set = change => {
    chosen = { ...mine(), ...change, id, bpm };
    show();
    apply();
    el.dispatchEvent(new Event("am:altered"));
  };
  $("tempo").addEventListener("input", e => set({ tempo: +e.target.value / 100 }));
  $("pitch").addEventListener("input", e => set({ pitch: +e.target.value }));
  target?.addEventListener("change", () => {
    if (+target.value > 0) set({ tempo: Math.max(.5, Math.min(2, +target.value / bpm)) });
  });
  $("alter-reset").addEventListener("click", () => {
    set({ tempo: 1, pitch: 0 });
    $("tempo").focus();
  });
  show();
  return {};
}

// tempoOf is the tempo at which a sound is heard, 1 as it is.
export const tempoOf = id => chosen.id === id ? chosen.tempo : 1;

const percent = tempo => `${Math.round(tempo * 1000) / 10} %`;
const semitones = n => `${n > 0 ? "+" : n < 0 ? "−" : ""}${Math.abs(n)} ${Math.abs(n) === 1 ? "semitone" : "semitones"}`;

// transposed moves a key as the site writes it ("A♯", "F min") by semitones.
export function transposed(key, by) {
  const [, note, sign, rest] = /^([A-G])([♯#♭b]?)(.*)$/.exec(key) ?? [];
  if (!note) return key;
  const at = notes.indexOf(note) + (sign === "♯" || sign === "#" ? 1 : sign ? -1 : 0) + by;
  return notes[(at % 12 + 12) % 12] + rest;
}

// apply brings what is chosen to what sounds: called when either changed.
async function apply() {
  const { tempo, pitch } = chosen.id && chosen.id === state.sound?.id ? chosen : { tempo: 1, pitch: 0 };
  const needed = pitch !== 0 || state.head !== state.audio && tempo !== 1; // a region in memory has no pitch of its own to keep
  if (needed && !node) {
    try {
      const context = amplify();
      await (loading ??= context.audioWorklet.addModule(script));
      node ??= new AudioWorkletNode(context, "stretch", { outputChannelCount: [2] });
    } catch {
      loading = null;
      return say("This browser cannot change the pitch.", true);
    }
    return apply(); // something else may be chosen by now
  }
  const ratio = 2 ** (pitch / 12) / tempo;
  if (needed) node.parameters.get("ratio").value = ratio;
  state.audio.preservesPitch = !needed;
  state.audio.playbackRate = state.head.playbackRate = tempo;
  // The delay of stretch.js was measured on strokes at ratios from .5 to 2.5, where this is within 15 ms.
  if (node) needed ? through(node, (1920 + 2016 / ratio) / node.context.sampleRate * tempo) : through(null, 0);
  tag(tempo, pitch);
}

// tag says in the player that what is heard is not as it was recorded.
function tag(tempo, pitch) {
  const by = document.querySelector("#player .player-by");
  by.querySelector(".tag")?.remove();
  if (tempo === 1 && !pitch) return;
  const t = document.createElement("span");
  t.className = "tag";
  t.textContent = "Altered: " + [tempo !== 1 && (chosen.bpm ? `${+(chosen.bpm * tempo).toFixed(1)} BPM` : percent(tempo)), pitch && semitones(pitch)].filter(Boolean).join(", ");
  by.append(" ", t);
}

document.addEventListener("am:loop", apply); // another sound, or another voice of the same
