// The thin line with a time that says beforehand where a press on a waveform starts.
import { clock, shareAt, state } from "./player.js";

const line = document.createElement("div"), text = document.createElement("span");
line.className = "hover-line";
line.setAttribute("aria-hidden", "true");
line.append(text);

export default function hover(e) {
  const lane = e.pointerType === "mouse" && e.target.closest?.("[data-seek]");
  if (!lane) return line.remove();
  const len = +(lane.closest("[data-len]")?.dataset.len ?? (lane.closest("#player") && state.sound?.len) ?? 0);
  if (!len) return line.remove();
  const box = lane.getBoundingClientRect();
  const share = Math.max(0, Math.min(1, (e.clientX - box.left) / box.width));
  line.style.setProperty("--h", share * 100 + "%");
  line.classList.toggle("end", share > .8);
  text.textContent = clock(shareAt(lane, e.clientX) * len, len) + hertz(lane, (e.clientY - box.top) / box.height);
  if (line.parentNode !== lane) lane.append(line);
}
document.addEventListener("pointermove", hover, { passive: true });
// hertz is the frequency under the pointer on a spectrogram, which is logarithmic from 18 kHz at the top to 60 Hz.
function hertz(lane, down) {
  if (!lane.classList.contains("lane-spec")) return "";
  const f = 18000 * (60 / 18000) ** Math.max(0, Math.min(1, down));
  return f < 1000 ? ` · ${f.toPrecision(2) * 1} Hz` : ` · ${(f / 1000).toPrecision(2)} kHz`;
}
document.addEventListener("pointerleave", () => line.remove());
