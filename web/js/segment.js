// A part of a preview as samples: for a long one only the bytes around the part are fetched. Ogg pages (RFC 3533) carry the time of
// their last sample (RFC 7845, section 4), so a part is found by a guess and, where that misses, better guesses.
const whole = 3 << 20; // bytes: a file up to this size is fetched and decoded as it is
const roll = .1; // seconds before a part that are decoded too, for an Opus decoder needs 80 ms to settle (RFC 7845, section 4.6)

// decode returns { buffer, start }: an AudioBuffer and the second of the sound at which it begins. It covers [from, to) as far as
// there is sound; seconds is the length of the sound.
export async function decode(url, from, to, seconds) {
  const { bytes, start } = await fetchPart(url, Math.max(0, from), Math.min(to, seconds), seconds);
  return { buffer: await new OfflineAudioContext(2, 1, 48000).decodeAudioData(bytes), start };
}

// beginning returns { buffer, whole }: the first seconds of a sound, as many of them as its first bytes hold, and whether that is all.
export async function beginning(url, bytes, most) {
  const got = await range(url, 0, bytes, "low"), all = got.bytes.length === got.size;
  const list = isPage(got.bytes, 0) ? pages(got.bytes) : [], last = list.findLast(p => p.granule <= most * 48000) ?? list.at(-1);
  const whole = all && (!list.length || last === list.at(-1)), end = whole ? got.size : last?.end;
  return { buffer: await new OfflineAudioContext(2, 1, 48000).decodeAudioData(got.bytes.slice(0, end).buffer), whole };
}

async function range(url, from, to, priority) {
  const answer = await fetch(url, { headers: { Range: `bytes=${from}-${to - 1}` }, priority });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return { bytes, at: answer.status === 206 ? from : 0, size: answer.status === 206 ? +answer.headers.get("Content-Range").split("/")[1] : bytes.length };
}

async function fetchPart(url, from, to, seconds) {
  const first = await range(url, 0, 1 << 14), { size } = first;
  if (size <= whole || first.bytes.length === size || !isPage(first.bytes, 0)) {
    const all = first.bytes.length === size ? first.bytes : (await range(url, 0, size)).bytes;
    return { bytes: all.buffer, start: 0 };
  }
  const heads = pages(first.bytes).slice(0, 2), head = heads[1].end, view = new DataView(first.bytes.buffer);
  const skip = view.getUint16(heads[0].body + 10, true); // pre-skip of OpusHead
  const perSecond = size / seconds, want = t => t * 48000 + skip;
  let lo = Math.max(head, Math.floor((from - 2) * perSecond)), hi = Math.min(size, Math.ceil((to + 2) * perSecond) + (1 << 16)), got, list;
  for (let tries = 0; ; tries++) {
    got = await range(url, lo, hi);
    list = pages(got.bytes);
    const begins = lo === head ? 0 : list[0]?.granule ?? Infinity, ends = list.at(-1)?.granule ?? -Infinity;
    const early = begins <= Math.max(0, want(from - roll)), late = ends >= want(to) || hi === size;
    if (early && late || tries === 8 && list.length > 1) break;
    if (tries === 8) throw new Error("no pages in " + url);
    const back = list.length ? Math.max(0, (begins - want(from)) / 48000) : 0, on = list.length ? Math.max(0, (want(to) - ends) / 48000) : 0;
    const far = back > 2 * (to - from) + 10 ? -back : on > 2 * (to - from) + 10 ? on : 0; // far off: move instead of growing
    lo = Math.max(head, Math.floor(lo + (far ? far - 3 : early ? 0 : -back - 3) * perSecond));
    hi = Math.min(size, Math.ceil(hi + (far ? far + 3 : late ? 0 : on + 3) * perSecond));
  }
  // The first page after one that is known, as late as the part allows; a page that begins inside a packet is no beginning.
  let i = lo === head ? 0 : 1;
  for (let k = i; k < list.length; k++) if (k && !list[k].goesOn && list[k - 1].granule <= want(from - roll)) i = k;
  let last = list.findIndex(p => p.granule >= want(to));
  if (last < 0) last = list.length - 1;
  const granule = i ? list[i - 1].granule : 0, out = new Uint8Array(head + list[last].end - list[i].at);
  out.set(first.bytes.subarray(0, head));
  out.set(got.bytes.subarray(list[i].at, list[last].end), head);
  return { bytes: renumber(out, granule, i === 0 ? skip : 0), start: i ? (granule - skip) / 48000 : 0 };
}

const isPage = (b, i) => b[i] === 79 && b[i + 1] === 103 && b[i + 2] === 103 && b[i + 3] === 83 && b[i + 4] === 0;

// pages lists the whole pages of a piece of a file.
function pages(b) {
  const v = new DataView(b.buffer, b.byteOffset, b.byteLength), list = [];
  for (let i = 0; i + 27 < b.length;) {
    if (!isPage(b, i)) {
      i++;
      continue;
    }
    const n = b[i + 26], body = i + 27 + n;
    let end = body;
    for (let k = i + 27; k < body; k++) end += b[k];
    if (end > b.length) break;
    list.push({ at: i, body, end, goesOn: b[i + 5] & 1, granule: Number(v.getBigInt64(i + 6, true)) });
    i = end;
  }
  return list.filter(p => p.granule !== -1); // no packet ends on such a page: it belongs to the one before
}

// renumber makes a whole stream of the pages: times from zero, numbers in order, sums right, so that no decoder stumbles.
function renumber(b, granule, skip) {
  const v = new DataView(b.buffer);
  pages(b).forEach((p, k) => {
    if (k === 0) v.setUint16(p.body + 10, skip, true);
    if (k > 1) v.setBigInt64(p.at + 6, BigInt(p.granule - granule), true);
    v.setUint32(p.at + 18, k, true);
    v.setUint32(p.at + 22, 0, true);
    v.setUint32(p.at + 22, sum(b, p.at, p.end), true);
  });
  return b.buffer;
}

// sum is Ogg's CRC-32: polynomial 04C11DB7, not reflected, from zero.
let table;
function sum(b, from, to) {
  table ??= Uint32Array.from({ length: 256 }, (_, i) => {
    let r = i << 24;
    for (let k = 0; k < 8; k++) r = r & 0x80000000 ? r << 1 ^ 0x04c11db7 : r << 1;
    return r;
  });
  let r = 0;
  for (let i = from; i < to; i++) r = r << 8 ^ table[(r >>> 24 ^ b[i]) & 255];
  return r >>> 0;
}
