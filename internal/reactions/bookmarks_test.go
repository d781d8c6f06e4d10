package reactions_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"audiomicro/internal/collections"
	"audiomicro/internal/db"
	"audiomicro/internal/testkit"
)

// before0099 are the tables of favorites as migration 95 made them.
const before0099 = `DROP TABLE favorite;
CREATE TABLE favorite_category (id BIGINT NOT NULL PRIMARY KEY, account_id BIGINT NOT NULL REFERENCES account (id), name TEXT NOT NULL, name_folded TEXT NOT NULL, created_at BIGINT NOT NULL, UNIQUE (account_id, name_folded));
CREATE TABLE favorite (account_id BIGINT NOT NULL REFERENCES account (id), category_id BIGINT NOT NULL, recording_id BIGINT NOT NULL REFERENCES recording (id), added_at BIGINT NOT NULL, PRIMARY KEY (account_id, category_id, recording_id));
CREATE INDEX favorite_recording ON favorite (recording_id);
DELETE FROM schema_version WHERE version_id = 99`

// TestCategoriesBecomeCollections starts this version on a site where people had categories of favorites: names that are taken, one that is
// fuller than a collection may be, an empty one, and ids that the collections have already.
func TestCategoriesBecomeCollections(t *testing.T) {
	testkit.EachSite(t, quick, func(t *testing.T, s *testkit.Site) {
		maker, fan, other := s.Person("Maker", "contributor"), s.Person("Fan", "member"), s.Person("Other", "member")
		ids := []int64{published(t, s, maker, "Door slam"), published(t, s, maker, "Bell")}
		for _, name := range []string{"Drones", "DOORS"} {
			if got := fan.Post("/collections", url.Values{"name": {name}}); got.Status != http.StatusSeeOther {
				t.Fatalf("make %s: %d", name, got.Status)
			}
		}
		made, err := s.Collections.Of(t.Context(), fan.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Collections.Share(t.Context(), fan.ID, made[0].ID, collections.Public, false); err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("Å", 128)
		many := fill(t, s, ids, fan.ID, other.ID, long)
		s.Restart()

		type shelf struct {
			name  string
			items []int64 // in its order
		}
		check := func(account int64, want ...shelf) {
			t.Helper()
			list, err := s.Collections.Of(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, c := range list {
				names = append(names, c.Name)
			}
			for _, w := range want {
				i := slices.Index(names, w.name)
				if i < 0 {
					t.Fatalf("no collection %q among %q", w.name, names)
				}
				items, err := s.Collections.Items(t.Context(), list[i].ID, 2000, 0)
				var got []int64
				for _, it := range items {
					got = append(got, it.RecordingID)
				}
				if err != nil || !slices.Equal(got, w.items) {
					t.Errorf("%s holds %d: %.200v, want %d: %.200v (%v)", w.name, len(got), got, len(w.items), w.items, err)
				}
				if c := list[i]; w.name == "Gates" && (c.Shared != collections.Private || c.CreatedAt != 1_000 || c.ChangedAt != 2_002 || items[0].AddedAt != 2_001) {
					t.Errorf("a category is now %+v with %+v", c, items)
				}
			}
			if len(list) != len(want) {
				t.Errorf("collections: %q", names)
			}
		}
		check(fan.ID, shelf{"Drones", nil}, shelf{"DOORS", nil}, shelf{"Doors (favorites)", []int64{ids[0]}}, shelf{"Gates", []int64{ids[1], ids[0]}}, shelf{"Empty", nil},
			shelf{long, many[:1000]}, shelf{strings.Repeat("Å", 100) + " (2)", many[1000:]})
		check(other.ID, shelf{"Doors", []int64{ids[1]}})
		if list, n, err := s.Reactions.Favorites(t.Context(), fan.ID, 10, 0); err != nil || n != 1 || list[0] != ids[1] {
			t.Errorf("favorites: %v of %d, %v", list, n, err)
		}
		for _, at := range []string{"/favorites", "/collections"} {
			if got := fan.Get(at).Text; !strings.Contains(got, "Gates") || !strings.Contains(got, "Doors (favorites)") {
				t.Errorf("%s does not show what was kept", at)
			}
		}
		// What is made from now on has numbers of its own.
		if got := other.Post("/collections/add", url.Values{"recording": {fmt.Sprint(ids[0])}, "name": {"doors"}}); got.Status != http.StatusSeeOther {
			t.Fatalf("add: %d %s", got.Status, got.Text)
		}
		if got := other.Post("/collections", url.Values{"name": {"New"}}); got.Status != http.StatusSeeOther {
			t.Fatalf("make: %d %s", got.Status, got.Text)
		}
		check(other.ID, shelf{"Doors", []int64{ids[1], ids[0]}}, shelf{"New", nil})
	})
}

// fill takes the database back before migration 99 and puts favorites in; it gives the recordings of the fullest category, the first added first.
func fill(t *testing.T, s *testkit.Site, ids []int64, fan, other int64, long string) []int64 {
	t.Helper()
	var many []int64
	err := s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		for statement := range strings.SplitSeq(before0099, ";") {
			if _, err := db.Exec(t.Context(), tx, statement); err != nil {
				return err
			}
		}
		for i, c := range []struct {
			account int64
			name    string
		}{{fan, "Doors"}, {fan, "Gates"}, {fan, "Empty"}, {fan, long}, {other, "Doors"}} {
			_, err := db.Exec(t.Context(), tx, `INSERT INTO favorite_category (id, account_id, name, name_folded, created_at) VALUES ($1, $2, $3, $4, $5)`, i+1, c.account, c.name, strings.ToLower(c.name), 1_000)
			if err != nil {
				return err
			}
		}
		keep := func(account, category, recording, at int64) error {
			_, err := db.Exec(t.Context(), tx, `INSERT INTO favorite (account_id, category_id, recording_id, added_at) VALUES ($1, $2, $3, $4)`, account, category, recording, at)
			return err
		}
		for _, f := range [][4]int64{{fan, 1, ids[0], 2_000}, {fan, 2, ids[0], 2_002}, {fan, 2, ids[1], 2_001}, {fan, 0, ids[1], 2_000}, {other, 5, ids[1], 2_000}} {
			if err := keep(f[0], f[1], f[2], f[3]); err != nil {
				return err
			}
		}
		many = nil
		for i := range int64(1002) {
			id := 900_000 - i // so that the order is not that of the ids
			_, err := db.Exec(t.Context(), tx, `INSERT INTO recording (id, owner_id, token, state, processing, file_name, byte_size, sha256, md5, container, codec, ext, created_at, updated_at)
				SELECT CAST($1 AS BIGINT), owner_id, CAST($2 AS TEXT), state, processing, file_name, byte_size, sha256, md5, container, codec, ext, created_at, updated_at FROM recording WHERE id = $3`, id, fmt.Sprint("copy", id), ids[0])
			if err == nil {
				err = keep(fan, 4, id, 3_000+i)
			}
			if err != nil {
				return err
			}
			many = append(many, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return many
}
