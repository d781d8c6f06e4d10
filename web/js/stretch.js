// An AudioWorklet that shifts the pitch of what runs through it, in step with it: a time-stretch by WSOLA (W. Verhelst, M. Roelands,
// "An overlap-add technique based on waveform similarity (WSOLA) for high quality time-scale modification of speech", ICASSP 1993),
// read again at another rate. ratio is the factor of every frequency: 2 is an octave up.
//
// Frames overlap by half under a Hann window. Each is taken where the sound resembles best what would have followed the frame
// before. Onsets are kept whole: a frame neither steps back over one that was heard, nor over one that is still to come.
const frame = 2048, half = frame / 2, reach = 512; // samples: 43, 21 and 11 ms at 48 kHz
const ring = 1 << 16, mask = ring - 1;
const guard = 256, far = 4 * half; // samples around an onset that belong to it; how far onsets may lead a frame from its place
const taps = 16, phases = 128; // of the interpolation, a Hann-windowed sinc

class Stretch extends AudioWorkletProcessor {
  static get parameterDescriptors() {
    return [{ name: "ratio", defaultValue: 1, minValue: .125, maxValue: 8, automationRate: "k-rate" }];
  }

  constructor() {
    super();
    this.input = [new Float32Array(ring), new Float32Array(ring)];
    this.mixed = new Float32Array(ring); // for what compares frames
    this.out = [new Float32Array(ring), new Float32Array(ring)];
    this.written = 0; // samples of input so far
    this.made = 0; // samples of stretched sound that are whole
    this.read = taps; // where the stretched sound is read
    this.target = 0; // where the next frame belongs in the input
    this.at = -1; // where the frame before was taken; -1 before the first
    this.begun = false;
    this.onsets = []; // positions in the input, in order
    this.slow = 0;
    this.energy = 0;
    this.last = 0;
    this.window = Float32Array.from({ length: frame }, (_, i) => .5 - .5 * Math.cos(2 * Math.PI * i / frame));
    this.for = 0; // the ratio that the kernel is made for
  }

  process([input], [output], { ratio: [ratio] }) {
    const n = output[0].length;
    if (ratio !== this.for) this.kernel(ratio);
    this.take(input, n);
    const step = half / ratio; // input per frame: the sound gets ratio times longer, and is read ratio times faster
    const need = frame + reach + step + half;
    if (!this.begun && this.written < need) return true;
    this.begun = true;
    while (this.made < this.read + n * ratio + this.span + 1) this.next(step, need);
    for (let i = 0; i < n; i++, this.read += ratio) {
      const whole = Math.floor(this.read), row = Math.round((this.read - whole) * phases) * 2 * this.span;
      for (let c = 0; c < output.length; c++) {
        const from = this.out[Math.min(c, 1)];
        let sum = 0;
        for (let k = 0, o = whole - this.span + 1; k < 2 * this.span; k++, o++) sum += this.kernels[row + k] * from[o & mask];
        output[c][i] = sum;
      }
    }
    return true;
  }

  // kernel makes the interpolation; reading faster, it takes away what would fold back.
  kernel(ratio) {
    this.for = ratio;
    const cut = Math.min(1, 1 / ratio) * .95, span = this.span = Math.ceil(taps / cut), sinc = x => x ? Math.sin(Math.PI * x) / (Math.PI * x) : 1;
    this.kernels = new Float32Array((phases + 1) * 2 * span);
    for (let p = 0; p <= phases; p++) {
      for (let k = 0; k < 2 * span; k++) {
        const x = k - span + 1 - p / phases;
        this.kernels[p * 2 * span + k] = Math.abs(x) < span ? cut * sinc(cut * x) * (.5 + .5 * Math.cos(Math.PI * x / span)) : 0;
      }
    }
  }

  // take keeps the input and notes onsets: blocks whose high frequencies (first difference) rise fourfold over what was.
  take(input, n) {
    let high = 0;
    for (let i = 0; i < n; i++) {
      const at = (this.written + i) & mask, l = input[0]?.[i] ?? 0, r = input[1]?.[i] ?? l, m = l + r;
      this.input[0][at] = l;
      this.input[1][at] = r;
      this.mixed[at] = m;
      high += (m - this.last) ** 2;
      this.last = m;
    }
    if (high > 4 * this.slow + 1e-6 * n && high > 2 * this.energy && this.written - (this.onsets.at(-1) ?? -ring) > half) this.onsets.push(this.written);
    this.slow += (high - this.slow) * .15;
    this.energy = high;
    this.written += n;
    while (this.onsets[0] < this.written - ring / 2) this.onsets.shift();
  }

  // next adds a frame to the stretched sound.
  next(step, need) {
    this.target = Math.max(Math.min(this.target + step, this.written - frame - reach - 1), this.written - need - half - step);
    const goesOn = this.at + half; // what would follow the frame before without a seam
    let from = this.target - reach, to = this.target + reach, heard = -Infinity, whole = false;
    if (this.at >= 0) {
      for (const o of this.onsets) {
        if (o < goesOn - guard) {
          heard = o + guard; // not again
          continue;
        }
        if (o < goesOn + half) whole = Math.abs(goesOn - this.target) < far; // it fades out with the frame before, so it fades in with this one
        else if (o - half < to && o - half > this.target - far) to = o - half; // not over it: its attack comes in the middle of a frame
        break;
      }
    }
    if (whole) from = to = goesOn;
    else if (heard > from) {
      from = heard;
      to = Math.max(from, Math.min(Math.max(to, from + reach), to < this.target ? to : Infinity));
    } else from = Math.min(from, to - reach);
    const last = this.written - frame - 1, least = Math.max(0, this.written - ring + frame);
    const at = Math.max(least, Math.min(last, this.at < 0 ? Math.round(this.target) : this.best(Math.round(from), Math.round(to))));
    for (let c = 0; c < 2; c++) {
      for (let i = 0; i < frame; i++) {
        const o = (this.made + i) & mask, v = this.window[i] * this.input[c][(at + i) & mask];
        this.out[c][o] = i < half ? this.out[c][o] + v : v;
      }
    }
    this.at = at;
    this.made += half;
  }

  // best finds the place in [from, to] that resembles what follows the frame before: normalized correlation, coarse, then fine.
  best(from, to) {
    const goesOn = this.at + half;
    if (from === to || Math.abs(goesOn - (from + to) / 2) < 2) return from === to ? from : goesOn;
    from = Math.max(0, from);
    to = Math.min(this.written - frame - 1, Math.max(from, to));
    const like = (p, by) => {
      let xy = 0, yy = 1e-9;
      for (let i = 0; i < half; i += by) {
        const y = this.mixed[(p + i) & mask];
        xy += this.mixed[(goesOn + i) & mask] * y;
        yy += y * y;
      }
      return xy / Math.sqrt(yy);
    };
    let top = from, score = -Infinity;
    for (let p = from; p <= to; p += 4) {
      const v = like(p, 4);
      if (v > score) [top, score] = [p, v];
    }
    score = -Infinity;
    let fine = top;
    for (let p = Math.max(from, top - 3); p <= Math.min(to, top + 3); p++) {
      const v = like(p, 1);
      if (v > score) [fine, score] = [p, v];
    }
    return fine;
  }
}
registerProcessor("stretch", Stretch);
