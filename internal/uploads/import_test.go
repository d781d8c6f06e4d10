package uploads_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
	"audiomicro/internal/uploads"
)

// folder writes files by their paths.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func importer(p *testkit.Person, dir, table string) *uploads.Importer {
	im := &uploads.Importer{Store: p.Site.Uploads, As: p.Actor(), Dir: dir,
		Approve: func(ctx context.Context, id int64) error { return p.Site.Moderation.Approve(ctx, operator, id) }}
	if table != "" {
		im.Table = strings.NewReader(table)
	}
	return im
}

// states writes what became of the files: "a.wav=published new; …".
func states(list []uploads.Imported) string {
	var out []string
	for _, one := range list {
		s := one.File + "=" + one.State
		if one.New {
			s += " new"
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestImport(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ctx, ann := context.Background(), s.Person("Ann", "contributor")
		dir := folder(t, map[string][]byte{"bells/low.wav": tone(t, 200), "bells/high.wav": tone(t, 201), "hum.wav": tone(t, 202), "README": []byte("read me"), ".hidden.wav": tone(t, 203)})
		table := "file,title,description,tags,category,pack,license,price,credit,source_url\n" +
			"bells/low.wav,Low bell,\"A bell, low\",\"bell, church, low\",fx-o,Bells,CC-BY-3.0,,Jane Doe,https://example.org/1\n" +
			"hum.wav,Hum,,\"hum, drone, low\",ss-i,,standard+broadcast-1m,4+12,,\n" +
			"bells/high.wav,High bell,,one,fx-o,Bells,cc0,,,\n" +
			"missing.wav,Missing,,\"a,b,c\",fx-o,,cc0,,,\n" +
			"README,Text,,\"a,b,c\",fx-o,,cc0,,,\n"
		im := importer(ann, dir, table)
		im.Publish = true
		list, err := im.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := states(list); got != "bells/low.wav=published new; hum.wav=published new; bells/high.wav=failed new; missing.wav=failed; README=failed" {
			t.Fatal(got)
		}
		if !strings.Contains(list[2].Error, "1 of at least 3") {
			t.Errorf("why the third is not published: %q", list[2].Error)
		}
		low, hum := find(t, s, list[0].ID), find(t, s, list[1].ID)
		if low.Credit != "Jane Doe" || low.SourceURL != "https://example.org/1" || low.Title != "Low bell" || low.PackID == 0 || low.Paid != 0 || low.RightsAt == 0 {
			t.Errorf("low: %+v", low)
		}
		if has := offers(t, s, low.ID); len(has) != 1 || has[0].Model.Code != "cc-by-3.0" {
			t.Errorf("license of low: %v", has)
		}
		if has := offers(t, s, hum.ID); len(has) != 2 || has[0].Price.Minor != 400 || has[1].Price.Minor != 1200 || hum.Paid != 1 {
			t.Errorf("licenses of hum: %v", has)
		}

		// What does not fit is said cell by cell before anything is taken, never cut.
		im = importer(ann, dir, "file,title,description,tags,pack\nhum.wav,"+strings.Repeat("long ", 30)+",,\""+strings.Repeat("t", 41)+",b,c\","+strings.Repeat("p", 101)+"\n")
		if _, err := im.Run(ctx); err == nil || !strings.Contains(err.Error(), "149 characters, and may have 120") || !strings.Contains(err.Error(), "too long for a tag") || !strings.Contains(err.Error(), "101 characters") {
			t.Errorf("a table with texts that do not fit: %v", err)
		}

		im = importer(ann, dir, strings.ReplaceAll(table, ",one,", ",\"one,two,three\","))
		im.Publish = true
		list, err = im.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := states(list); got != "bells/low.wav=published; hum.wav=published; bells/high.wav=published; missing.wav=failed; README=failed" {
			t.Errorf("a second run, mended: %s", got)
		}

		im = importer(ann, dir, "")
		im.License = "cc0"
		list, err = im.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := states(list); got != "README=skipped; bells/high.wav=published; bells/low.wav=published; hum.wav=published" {
			t.Errorf("without a table: %s", got)
		}
		all, err := s.Recordings.List(ctx, recordings.Filter{OwnerID: ann.ID})
		if err != nil || len(all) != 3 {
			t.Errorf("%d recordings after three runs, %v", len(all), err)
		}
	})
}

// TestImportPlaces tells where recordings were made, in one column or two, as precisely as the table does; an empty cell of a later table leaves it.
func TestImportPlaces(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann := s.Person("Ann", "contributor")
		dir := folder(t, map[string][]byte{"a.wav": tone(t, 230), "b.wav": tone(t, 231), "c.wav": tone(t, 232), "d.wav": tone(t, 233)})
		run := func(table string) map[string]string {
			list, err := importer(ann, dir, table).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			at := map[string]string{}
			for _, one := range list {
				at[one.File] = find(t, s, one.ID).Place().String()
			}
			return at
		}
		got := run("file,geotag,latitude,longitude\na.wav,\"41.40, 2.1754321, 12\",,\nb.wav,,-33.9,151.2\nc.wav,-1.5 30,,\nd.wav,,,\n")
		if fmt.Sprint(got) != "map[a.wav:41.4, 2.175432, 12 b.wav:-33.9, 151.2 c.wav:-1.5, 30 d.wav:]" {
			t.Errorf("places: %q", got)
		}
		got = run("file,geotag\na.wav,\nb.wav,\"-34, 151\"\n") // told less precisely
		if fmt.Sprint(got) != "map[a.wav:41.4, 2.175432, 12 b.wav:-34, 151]" {
			t.Errorf("places of another table: %q", got)
		}
	})
}

// TestImportRefuses checks the whole table before the first file is taken.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	s := testkit.NewSite(t, "sqlite", nil)
	ann := s.Person("Ann", "contributor")
	dir := folder(t, map[string][]byte{"a.wav": tone(t, 210)})
	for _, c := range []struct{ name, license, table, want string }{
		{"unknown license", "cc-by-9", "", `does not know the license "cc-by-9"`},
		{"unknown license in the table", "", "file,license\na.wav,sampling+\n", `line 2, license: this site does not know the license "sampling"`},
		{"price", "", "file,license,price\na.wav,standard,much\n", `"much" is no price in USD`},
		{"category", "", "file,category\na.wav,Animals\n", `"Animals" is no category code`},
		{"place", "", "file,geotag\na.wav,here\n", "line 2, geotag: Write a place as latitude and longitude in degrees"},
		{"no place on earth", "", "file,latitude,longitude\na.wav,2,1\na.wav,91,2\n", "line 3, latitude: Write a place"},
		{"half a place", "", "file,latitude,longitude\na.wav,,2\n", "line 2, latitude: The longitude stands alone"},
		{"half a table", "", "file,latitude\na.wav,2\n", "line 2, longitude: The latitude stands alone"},
		{"two places", "", "file,geotag,latitude,longitude\na.wav,\"1, 2\",1,2\n", "line 2, geotag: Tell the place here or in"},
		{"decimal commas", "", "file;latitude;longitude\na.wav;41,40;2,17\n", "line 2, latitude: Write degrees with a point"},
		{"way out", "", "file\n../../etc/passwd\n", "no path below the folder"},
		{"absolute", "", "file\n/etc/passwd\n", "no path below the folder"},
		{"column", "", "file,licence\na.wav,cc0\n", `no column "licence"`},
		{"no file column", "", "title\nx\n", "line 1, file: This column is missing."},
	} {
		t.Run(c.name, func(t *testing.T) {
			im := importer(ann, dir, c.table)
			im.License = c.license
			if _, err := im.Run(context.Background()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if _, err := importer(ann, filepath.Join(dir, "no-such"), "").Run(context.Background()); err == nil {
		t.Error("a folder that does not exist")
	}
	all, err := s.Recordings.List(context.Background(), recordings.Filter{})
	if err != nil || len(all) != 0 {
		t.Errorf("%d recordings were taken, %v", len(all), err)
	}
}

// TestImportGoesOn interrupts an import after each of its steps in turn.
func TestImportGoesOn(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		ann, files := s.Person("Ann", "contributor"), map[string][]byte{}
		table := "file,title,tags,category,license\n"
		for i := range 4 {
			name := fmt.Sprintf("f%d.wav", i)
			files[name] = tone(t, 220+i)
			table += fmt.Sprintf("%s,Tone %d,\"a,b,c\",fx-el,cc0\n", name, i)
		}
		dir := folder(t, files)
		// As a process that died between the draft and its offers leaves it.
		f, err := os.Open(filepath.Join(dir, "f1.wav"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := s.Uploads.Take(context.Background(), ann.ID, "f1.wav", f, uploads.Extra{Describe: func(d recordings.Description) recordings.Description {
			d.Title, d.Tags, d.Category = "Tone 1", []string{"a", "b", "c"}, "fx-el"
			return d
		}}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		im := importer(ann, dir, table)
		im.Publish = true
		im.Tell = func(uploads.Imported) { cancel() } // at the first that is published
		im.Run(ctx)
		im = importer(ann, dir, table)
		im.Publish = true
		list, err := im.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			if one.State != string(recordings.Published) {
				t.Errorf("%s: %s %s", one.File, one.State, one.Error)
			}
		}
		all, err := s.Recordings.List(context.Background(), recordings.Filter{OwnerID: ann.ID, State: recordings.Published})
		if err != nil || len(all) != 4 {
			t.Errorf("%d recordings, %v", len(all), err)
		}
	})
}
