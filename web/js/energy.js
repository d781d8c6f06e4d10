// A worker that computes what a zoomed spectrogram shows: the energy of columns × rows from 60 Hz to 18 kHz, as the server draws the
// whole one (internal/audio/spectrum): Hann window, the strongest bin of a row, +2 dB per octave, 16 steps over 72 dB to the power
// 1.35; and the tone class of each column (spectral centroid above 40 Hz, eight steps from 350 Hz to 7 kHz).
const lowest = 60, highest = 18000, range = 72, tilt = 2, gamma = 1.35;

// The message: { id, samples, rate, from, to, columns, rows, top, at, total }, from and to in samples of the buffer; top is the loudest
// level in dB that earlier answers of the same sound gave, so that colors do not jump between views. A long view comes in pieces: these
// are the columns from at of total; the energies are answered with the last piece, for only then is the loudest known.
let held = null; // { id, levels, tones, top } of the view whose pieces come
onmessage = ({ data: q }) => {
  // A narrow view wants short windows: time is what is looked at.
  const hop = (q.to - q.from) / q.columns, window = hop < 48 ? 512 : hop < 192 ? 1024 : 2048, fft = transform(window);
  const hann = Float32Array.from({ length: window }, (_, i) => (.5 - .5 * Math.cos(2 * Math.PI * i / window)) * 2 / window);
  const rows = rowsOf(q.rows, q.rate, window), n = q.columns * q.rows;
  if (held?.id !== q.id) held = { id: q.id, levels: new Float32Array(q.total * q.rows), tones: new Uint8Array(q.total), top: q.top ?? -Infinity };
  const levels = held.levels.subarray(q.at * q.rows, q.at * q.rows + n), tones = held.tones.subarray(q.at, q.at + q.columns);
  const re = new Float32Array(window), im = new Float32Array(window), mean = new Float32Array(window / 2 + 1);
  for (let x = 0; x < q.columns; x++) {
    // Several looks at a wide column, so that nothing between them is missed.
    const looks = Math.max(1, Math.min(8, Math.ceil(hop / window)));
    mean.fill(0);
    for (let l = 0; l < looks; l++) {
      const start = Math.round(q.from + (x + (l + .5) / looks) * hop - window / 2);
      for (let i = 0; i < window; i++) re[i] = (q.samples[start + i] ?? 0) * hann[i];
      im.fill(0);
      fft(re, im);
      for (let k = 0; k <= window / 2; k++) mean[k] += re[k] * re[k] + im[k] * im[k];
    }
    let weight = 0, sum = 0;
    for (let k = Math.ceil(40 * window / q.rate); k <= window / 2; k++) {
      const m = Math.sqrt(mean[k] / looks);
      weight += m;
      sum += m * k * q.rate / window;
    }
    tones[x] = weight > 1e-7 ? Math.max(0, Math.min(7, Math.floor(8 * Math.log2(sum / weight / 350) / Math.log2(7000 / 350)))) : tones[x - 1] ?? 0;
    for (let r = 0; r < q.rows; r++) {
      const { a, b, w, octave } = rows[r];
      let v = 0;
      if (a < 0) v = 0;
      else if (w >= 0) v = (Math.sqrt(mean[a]) * (1 - w) + Math.sqrt(mean[b]) * w) ** 2;
      else for (let k = a; k < b; k++) v = Math.max(v, mean[k]);
      const db = 10 * Math.log10(v / looks + 1e-18) + tilt * octave;
      levels[x * q.rows + r] = db;
      if (db > held.top) held.top = db;
    }
  }
  if (q.at + q.columns < q.total) return postMessage({ id: q.id });
  const { top, levels: all, tones: classes } = held, alpha = new Uint8Array(all.length);
  for (let i = 0; i < alpha.length; i++) alpha[i] = Math.round(Math.max(0, 1 - (top - all[i]) / range) ** gamma * 15) * 17;
  held = null;
  postMessage({ id: q.id, alpha, tones: classes, top }, [alpha.buffer, classes.buffer]);
};

// rowsOf says which bins make up each row, from the bottom up: as wide as several bins, the strongest of them; narrower, between two.
function rowsOf(n, rate, window) {
  const hz = r => lowest * (highest / lowest) ** (r / n), perHz = window / rate;
  return Array.from({ length: n }, (_, r) => {
    const low = hz(r) * perHz, high = hz(r + 1) * perHz, octave = Math.log2(hz(r + .5) / 1000), a = Math.ceil(low), b = Math.floor(high);
    if (high > window / 2) return { a: -1, octave };
    if (b - a >= 1) return { a, b: b + 1, w: -1, octave };
    const at = (low + high) / 2, i = Math.floor(at);
    return { a: i, b: i + 1, w: at - i, octave };
  });
}

// transform is an in-place radix-2 FFT of a fixed size (Cooley and Tukey 1965).
function transform(n) {
  const cos = new Float32Array(n / 2), sin = new Float32Array(n / 2), swap = new Uint16Array(n);
  for (let i = 0; i < n / 2; i++) {
    cos[i] = Math.cos(2 * Math.PI * i / n);
    sin[i] = -Math.sin(2 * Math.PI * i / n);
  }
  for (let i = 1; i < n; i++) swap[i] = swap[i >> 1] >> 1 | (i & 1 ? n >> 1 : 0);
  return (re, im) => {
    for (let i = 0; i < n; i++) {
      const j = swap[i];
      if (j <= i) continue;
      [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
    }
    for (let size = 2; size <= n; size *= 2) {
      const part = size / 2, step = n / size;
      for (let i = 0; i < n; i += size) {
        for (let k = 0; k < part; k++) {
          const c = cos[k * step], s = sin[k * step], a = i + k, b = a + part;
          const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  };
}
