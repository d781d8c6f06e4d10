// The spectrogram of a long sound at several widths (internal/audio/spectrum, WriteLevels): a file of PNGs, of which those in view are
// fetched by Range. A level is chosen whose columns are no wider than those of the view.
const most = 4096; // bytes fetched of the header: enough for five days

export default function levels(url) {
  const blocks = new Map(); // "level/block": energies of its columns, from the bottom up
  let head = null, rows;
  const made = { finest: Infinity, view };
  return made;

  async function open() {
    const v = new DataView(await piece(0, most));
    if (v.getUint32(0) !== 0x414d534c) throw new Error(`${url}: not a spectrogram`);
    const width = v.getUint32(8, true), list = [];
    rows = v.getUint32(4, true);
    let at = 16;
    for (let l = v.getUint32(12, true); l > 0; l--) {
      const level = { width, columns: v.getUint32(at, true), seconds: v.getFloat64(at + 4, true), ends: [] };
      at += 12;
      for (let b = Math.ceil(level.columns / width); b > 0; b--, at += 4) level.ends.push(v.getUint32(at, true));
      list.push(level);
    }
    list.reduce((from, l) => {
      l.start = from;
      return l.ends.at(-1);
    }, at);
    made.finest = list[0].seconds;
    return list;
  }

  // view has the columns that cover the seconds from a to b, for n columns of the page; null where there is no such file.
  async function view(a, b, n) {
    head ??= open().catch(() => null); // analyzed before there were any, and not yet again
    const list = await head;
    if (!list) return null;
    const at = Math.max(0, list.findLastIndex(l => l.seconds <= (b - a) / n)), l = list[at];
    const last = Math.min(l.ends.length - 1, Math.floor(b / l.seconds / l.width)), first = Math.min(last, Math.floor(a / l.seconds / l.width));
    const parts = await Promise.all(Array.from({ length: last - first + 1 }, (_, k) => block(l, at, first + k)));
    const alpha = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
    let filled = 0;
    for (const p of parts) {
      alpha.set(p, filled);
      filled += p.length;
    }
    const columns = alpha.length / rows, from = first * l.width * l.seconds;
    return { from, to: from + columns * l.seconds, alpha, columns, seconds: l.seconds };
  }

  async function block(l, at, k) {
    const key = `${at}/${k}`;
    if (!blocks.has(key)) blocks.set(key, draw(await piece(k ? l.ends[k - 1] : l.start, l.ends[k])));
    for (const old of blocks.keys()) if (blocks.size > 48 && old !== key) blocks.delete(old); // 4 MB
    return blocks.get(key) ?? block(l, at, k);
  }

  async function draw(png) {
    const picture = await createImageBitmap(new Blob([png], { type: "image/png" })), { width, height } = picture;
    const canvas = document.createElement("canvas"), alpha = new Uint8Array(width * height);
    canvas.width = width;
    canvas.height = height;
    const g = canvas.getContext("2d", { willReadFrequently: true });
    g.drawImage(picture, 0, 0);
    const { data } = g.getImageData(0, 0, width, height);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) alpha[x * height + height - 1 - y] = data[4 * (y * width + x) + 3];
    return alpha;
  }

  async function piece(from, to) {
    const answer = await fetch(url, { headers: { Range: `bytes=${from}-${to - 1}` } });
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    const bytes = await answer.arrayBuffer();
    return answer.status === 200 ? bytes.slice(from, to) : bytes; // a server without ranges gave everything
  }
}
