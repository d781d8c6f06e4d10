// Search by sound: drop a file, or record with the microphone. What is recorded becomes a WAV in the form's own file field, so that the
// form sends it as it would a chosen file, and the visitor sees and hears it before.
import { say } from "./page.js";

const most = 20; // seconds of a recording

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
    if (file.size > +root.dataset.max) return say("The file is larger than this search takes.", true);
    try {
      heard = await audio().decodeAudioData(await file.arrayBuffer());
      note.textContent = `${file.name}, ${heard.duration.toFixed(1)} s, ${size}`;
    } catch { /* the server's decoders know more formats */ }
    hear.hidden = !heard;
    draw(form.querySelector("[data-wave]"), heard);
  };
  field.addEventListener("change", show);
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
  let recorder;
  button.addEventListener("click", async () => {
    if (recorder) return recorder.stop();
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    } catch {
      note.textContent = "The browser gave no microphone. Allow it for this page, or choose a file.";
      return say(note.textContent);
    }
    await audio().resume();
    const analyser = audio().createAnalyser(), samples = new Float32Array(analyser.fftSize), source = audio().createMediaStreamSource(stream), pieces = [];
    source.connect(analyser);
    recorder = new MediaRecorder(stream);
    const began = performance.now();
    const tick = () => {
      if (!recorder) return;
      analyser.getFloatTimeDomainData(samples);
      meter.value = Math.min(1, Math.max(...samples.map(Math.abs)));
      const seconds = (performance.now() - began) / 1e3;
      time.textContent = seconds.toFixed(1) + " s";
      if (seconds >= most) return recorder.stop();
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
        say("Recorded.");
      } catch {
        note.textContent = "Nothing was recorded. Try again.";
        say(note.textContent);
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
  const x = sound.getChannelData(0), per = x.length / (w / 2);
  for (let i = 0; i < w / 2; i++) {
    let top = 0;
    for (let k = Math.floor(i * per); k < (i + 1) * per && k < x.length; k++) top = Math.max(top, Math.abs(x[k]));
    c.fillRect(2 * i, h / 2 - top * h / 2, 1, Math.max(1, top * h));
  }
}
