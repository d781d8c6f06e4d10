package apiv2_test

import (
	"net/http"
	"net/url"
	"testing"

	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// TestFiguresOfMany filters and orders more sounds than could be looked at one by one, by what the index does not hold. Their measures are
// written by the pass over recordings of before there were columns.
func TestFiguresOfMany(t *testing.T) {
	const many, base = 10_500, 500_000
	testkit.EachSite(t, func(c *config.Config) { c.Moderation, c.FFmpeg = "off", "off" }, func(t *testing.T, s *testkit.Site) {
		s.Site.Limits.Off = true
		first := catalog(t, s, 1)[0]
		for from := int64(0); from < many; from += 500 { // other work on the database waits for each of these only
			err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
				const numbers = ` WITH RECURSIVE many(n) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT n + 1 FROM many WHERE n < $1 + 499) `
				_, err := db.Exec(t.Context(), tx, `INSERT INTO recording (id, owner_id, token, state, processing, title, file_name, byte_size, sha256, md5, container, codec, ext, seconds, created_at, updated_at, published_at)`+numbers+`
					SELECT n, owner_id, 'copy' || CAST(n AS TEXT), state, processing, title, file_name, n, sha256, md5, container, codec, ext, seconds, created_at, updated_at, published_at FROM recording, many WHERE id = $2`, base+from, first)
				if err == nil {
					_, err = db.Exec(t.Context(), tx, `INSERT INTO recording_analysis (recording_id, version, descriptors, vector, fingerprint, pcm_sha256, created_at)`+numbers+`
						SELECT n, 1, '{"roughness": ' || CAST(n AS TEXT) || '.1, "single_event": ' || CASE WHEN n % 2 = 0 THEN 'true' ELSE 'false' END || ', "note_name": "C#4"}', vector, fingerprint, pcm_sha256, created_at FROM recording_analysis, many WHERE recording_id = $2`, base+from, first)
				}
				for id := base + from; id < base+from+500; id++ {
					s.Feed.Note(t.Context(), tx, "recording", id)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		c := with(t, s, "Token "+s.Account("Reader", "member").Key)
		count := func(filter string) int64 {
			t.Helper()
			return number(t, want(t, filter, c.get("/apiv2/search/?filter="+url.QueryEscape(filter)), http.StatusOK)["count"])
		}
		testkit.Eventually(t, "all are found", func() bool { return s.Search.Index().Len() == many+1 })
		if n := count("note_name:C#4"); n != 0 {
			t.Errorf("%d have measures before they are filled in", n)
		}
		if err := s.Recordings.FillMeasures(t.Context()); err != nil {
			t.Fatal(err)
		}
		for filter, n := range map[string]int64{
			`note_name:"c#4"`: many, "single_event:true note_name:C#4": many / 2, "roughness:[500100 TO 500199]": 99, "roughness:500007.1": 1, "-roughness:[500000 TO 509999.5]": 501, "roughness:[400000 TO *]": many, "filesize:[500000 TO 500009]": 10,
			"num_ratings:[0 TO 3]": many + 1, "num_comments:[1 TO *]": 0, "gen_ai_preference:no-gen-ai": many + 1, "roughness:[500000 TO 500050] OR filesize:500100": 51, "roughness:[500000 TO 500050] tag:deep": 0,
		} {
			if got := count(filter); got != n {
				t.Errorf("%s: %d, want %d", filter, got, n)
			}
		}
		v := want(t, "target", c.get("/apiv2/search/?sort=roughness:509000.3&page_size=2&fields=id&page=2"), http.StatusOK)
		if list := v["results"].([]any); number(t, v["count"]) != many+1 || list[0].(object)["id"] != 508_999.0 {
			t.Errorf("nearest: %v", v)
		}
	})
}
