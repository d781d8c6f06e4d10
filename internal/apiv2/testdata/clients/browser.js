// freesound.js as a page uses it; window.done is what the test waits for.
const ask = (method, ...args) => new Promise((yes, no) => method(...args, yes, e => no(new Error(String(e)))));
(async () => {
  const q = new URLSearchParams(location.search), id = Number(q.get("sound")), out = {};
  freesound.setToken(q.get("key"));
  const found = await ask(freesound.textSearch, "sound", { page_size: 4, sort: "duration_asc", fields: "id,name" });
  out.found = found.count + " " + found.results.map(s => s.name).join();
  const next = await new Promise((yes, no) => found.nextPage(yes, no));
  out.next = next.results.map(s => s.name).join();
  const sound = await ask(freesound.getSound, id);
  out.sound = sound.name;
  const similar = await new Promise((yes, no) => sound.getSimilar(yes, no, { page_size: 2 }));
  out.similar = similar.results.length;
  out.comment = (await new Promise((yes, no) => sound.getComments(yes, no))).results[0].comment;
  out.analysis = typeof (await new Promise((yes, no) => sound.getAnalysis("", yes, no))).spectral_centroid;
  const user = await ask(freesound.getUser, "Maker");
  out.packs = (await new Promise((yes, no) => user.packs(yes, no))).getPack(0).name;
  freesound.setClientSecrets(q.get("client"), q.get("secret"));
  const tokens = await ask(freesound.postAccessCode, q.get("code"));
  freesound.setToken(tokens.access_token, "oauth");
  out.me = (await new Promise((yes, no) => freesound.me(yes, no))).username;
  out.rated = (await new Promise((yes, no) => sound.rate(4, yes, no))).detail;
  out.again = await new Promise(yes => sound.rate(4, () => yes("taken twice"), () => yes("refused")));
  out.bookmarked = (await new Promise((yes, no) => sound.bookmark("x", "From a page", yes, no))).detail;
  const wav = await (await fetch("/tone.wav")).blob();
  out.uploaded = (await ask(freesound.upload, wav, "from page.wav", { name: "From a page", tags: "one two three", description: "By script.", license: "Attribution" })).detail;
  out.pending = "pending_moderation" in await new Promise((yes, no) => freesound.getPendingSounds(yes, no));
  window.done = JSON.stringify(out);
})().catch(e => { window.done = "failed: " + e.message; });
