// Search by sound: drop a file, or record with the microphone. What is recorded becomes a WAV in the form's own file field, so that the
// form sends it as it would a chosen file, and the visitor sees and hears it before.
import { say } from "./page.js";

const most = 20; // seconds of a recording
const quiet = 10 ** (-50 / 20); // full scale is 1; what stays below is a room, or a microphone that is switched off

export default function example(root) {
  const form = root.querySelector("[data-example]"), field = form.elements.sound, drop = form.querySelector("[data-drop]");
  const sent = form.querySelector("[data-sent]"), note = form.querySelector("[data-sent-note]"), hear = form.querySelector("[data-hear]");
  let context, heard, playing;
  const audio = () => context ??= new AudioContext();

  // show draws what will be sent. A format that the browser cannot decode is sent all the same.
  const show = async () => {
    playing?.stop();
    const file = field.files[0];
    sent.hidden = !file;
    heard = null;
    if (!file) return;
    const size = file.size < 1e6 ? Math.ceil(file.size / 1e3) + " kB" : (file.size / 1e6).toFixed(1) + " MB";
    note.textContent = `${file.name}, ${size}`;
    const large = file.size > +root.dataset.max ? "The file is larger than this search takes." : "";
    field.setCustomValidity(large);
    hear.hidden = true;
    if (large) {
      draw(form.querySelector("[data-wave]"), null);
      return say(large, true);
    }
    try {
      heard = await audio().decodeAudioData(await file.arrayBuffer());
      note.textContent = `${file.name}, ${heard.duration.toFixed(1)} s, ${size}`;
    } catch { /* the server's decoders know more formats */ }
    hear.hidden = !heard;
    if (heard && loudest(heard) < quiet) note.textContent += `. Nearly silent: its loudest moment is ${Math.round(20 * Math.log10(loudest(heard) + 1e-9))} dB`;
    draw(form.querySelector("[data-wave]"), heard);
  };
  field.addEventListener("change", show);
  // The server listens to a long file for some seconds. Back, the form is as it was.
  const send = form.querySelector("[type=submit]");
  form.addEventListener("submit", () => {
    playing?.stop();
    send.textContent = "Searching…";
  });
  addEventListener("pageshow", () => { send.textContent = "Search" });
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, e => {
      e.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop" && e.dataTransfer.files.length) give(e.dataTransfer.files[0]);
    });
  }
  const give = file => {
    const list = new DataTransfer();
    list.items.add(file);
    field.files = list.files;
    return show();
  };
  hear.addEventListener("click", async () => {
    if (playing) return playing.stop();
    await audio().resume();
    playing = audio().createBufferSource();
    playing.buffer = heard;
    playing.connect(audio().destination);
    playing.onended = () => { playing = null; hear.textContent = "Play" };
    hear.textContent = "Stop";
    playing.start();
  });
  if (navigator.mediaDevices?.getUserMedia && window.MediaRecorder) record(form, audio, give);
}

// record wires the microphone: level, time, stop by button or after 20 s. The browser's cleaning is off, for it eats strokes.
function record(form, audio, give) {
  const box = form.querySelector("[data-mic]"), button = form.querySelector("[data-record]"), meter = form.querySelector("[data-level]"), time = form.querySelector("[data-time]"), note = form.querySelector("[data-mic-note]");
  box.hidden = false;
  let recorder, asking;
  const told = note.textContent, tell = text => {
    note.textContent = text;
    say(text);
  };
  button.addEventListener("click", async () => {
    if (recorder) return recorder.stop();
    if (asking) return; // the browser's question is still open
    asking = true;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    } catch (e) {
      return tell({
        NotAllowedError: "The microphone is not allowed here. Allow it in the browser's settings of this page, or choose a file.",
        NotFoundError: "This device has no microphone. Choose a file.",
        NotReadableError: "Another program holds the microphone. Close it there and press Record again, or choose a file.",
      }[e.name] ?? "The browser gave no microphone. Choose a file.");
    } finally {
      asking = false;
    }
    await audio().resume();
    const analyser = audio().createAnalyser(), samples = new Float32Array(analyser.fftSize), source = audio().createMediaStreamSource(stream), pieces = [];
    source.connect(analyser);
    recorder = new MediaRecorder(stream);
    const began = performance.now();
    let long = false, top = 0;
    note.textContent = told;
    const tick = () => {
      if (!recorder) return;
      analyser.getFloatTimeDomainData(samples);
      const level = Math.max(...samples.map(Math.abs));
      top = Math.max(top, level);
      meter.value = Math.max(0, Math.min(1, 1 + Math.log10(level + 1e-9) / 3)); // 60 dB: a soft voice shows too
      const seconds = (performance.now() - began) / 1e3;
      time.textContent = seconds.toFixed(1) + " s";
      if (seconds > 2 && top < quiet) note.textContent = "Nothing is heard so far. Is the right microphone chosen, and switched on?";
      else if (note.textContent !== told) note.textContent = told;
      if (seconds >= most) {
        long = true;
        return recorder.stop();
      }
      setTimeout(tick, 50);
    };
    recorder.ondataavailable = e => pieces.push(e.data);
    recorder.onstop = async () => {
      recorder = null;
      source.disconnect();
      for (const t of stream.getTracks()) t.stop();
      button.textContent = "Record again";
      button.setAttribute("aria-pressed", "false");
      meter.value = 0;
      try {
        const sound = await audio().decodeAudioData(await new Blob(pieces).arrayBuffer());
        await give(new File([wav(sound)], "recording.wav", { type: "audio/wav" }));
        tell(top < quiet ? "Nothing was heard. Is the right microphone chosen, and switched on?" : long ? `Stopped at ${most} s, which is as much as is compared.` : "Recorded. Play it, record again, or press Search.");
      } catch {
        tell("Nothing was recorded. Press Record again.");
      }
    };
    recorder.start();
    button.textContent = "Stop";
    button.setAttribute("aria-pressed", "true");
    tick();
  });
}

// wav is the first channel as 16-bit PCM.
function wav(sound) {
  const x = sound.getChannelData(0), v = new DataView(new ArrayBuffer(44 + 2 * x.length)), text = (at, s) => [...s].forEach((c, i) => v.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); v.setUint32(4, 36 + 2 * x.length, true); text(8, "WAVEfmt "); v.setUint32(16, 16, true); v.setUint16(20, 1, true); v.setUint16(22, 1, true);
  v.setUint32(24, sound.sampleRate, true); v.setUint32(28, 2 * sound.sampleRate, true); v.setUint16(32, 2, true); v.setUint16(34, 16, true); text(36, "data"); v.setUint32(40, 2 * x.length, true);
  x.forEach((s, i) => v.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, s)) * 32767, true));
  return v.buffer;
}

function draw(canvas, sound) {
  const c = canvas.getContext("2d"), { width: w, height: h } = canvas;
  c.clearRect(0, 0, w, h);
  if (!sound) return;
  c.fillStyle = getComputedStyle(canvas).color;
  const x = sound.getChannelData(0), per = x.length / (w / 2), full = loudest(sound) || 1;
  for (let i = 0; i < w / 2; i++) {
    let top = 0;
    for (let k = Math.floor(i * per); k < (i + 1) * per && k < x.length; k++) top = Math.max(top, Math.abs(x[k]));
    top = (top / full) ** .8 * h * .94; // as the rows are drawn
    c.fillRect(2 * i, (h - top) / 2, 1, Math.max(1, top));
  }
}

const loudest = sound => sound.getChannelData(0).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
