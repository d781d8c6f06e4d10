// Two sounds on one page: one key switches from one to the other at the same place. The player levels how loud they are.
import { play, state } from "./player.js";

export default function compare(root) {
  const sides = [...root.querySelectorAll("[data-hq]")];
  if (sides.length < 2) return;
  const ahead = [];
  root.querySelector("[data-switch]")?.addEventListener("click", () => {
    const now = sides.findIndex(el => el.dataset.sound === state.sound?.id), to = sides[now === 0 ? 1 : 0];
    if (now < 0) return play(sides[0]);
    const length = +to.dataset.len || 1;
    play(to, (state.head.currentTime % length) / length); // the shorter one begins again
  });
  // Whoever hears one is about to hear the other: it is fetched with the first sound, not before.
  state.audio.addEventListener("playing", () => {
    if (ahead.length || !root.isConnected || navigator.connection?.saveData) return;
    for (const el of sides) ahead.push(Object.assign(new Audio(), { preload: "auto", src: el.dataset.hq }));
  });
}
