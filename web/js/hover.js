// The thin line with a time that says beforehand where a press on a waveform starts.
import { clock, state } from "./player.js";

const line = document.createElement("div"), text = document.createElement("span");
line.className = "hover-line";
line.setAttribute("aria-hidden", "true");
line.append(text);

document.addEventListener("pointermove", e => {
  const lane = e.pointerType === "mouse" && e.target.closest?.("[data-seek]");
  if (!lane) return line.remove();
  const len = +(lane.closest("[data-len]")?.dataset.len ?? (lane.closest("#player") && state.sound?.len) ?? 0);
  if (!len) return line.remove();
  const box = lane.getBoundingClientRect();
  const share = Math.max(0, Math.min(1, (e.clientX - box.left) / box.width));
  line.style.setProperty("--h", share * 100 + "%");
  line.classList.toggle("end", share > .8);
  text.textContent = clock(share * len, len);
  if (line.parentNode !== lane) lane.append(line);
}, { passive: true });
document.addEventListener("pointerleave", () => line.remove());
