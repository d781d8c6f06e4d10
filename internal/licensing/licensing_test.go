package licensing_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/money"
	"audiomicro/internal/testkit"
	"audiomicro/internal/web"
)

var t0 = time.Date(2026, 11, 23, 15, 4, 5, 123456000, time.UTC)

// catalog stands for the recordings domain: a map of what the test says exists.
type catalog struct {
	mu  sync.Mutex
	all map[int64]licensing.Recording
}

func (c *catalog) find(_ context.Context, _ db.Querier, id int64) (licensing.Recording, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.all[id]
	if !ok {
		return r, db.ErrNotFound
	}
	return r, nil
}

func (c *catalog) put(r licensing.Recording) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[r.ID] = r
}

func store(t *testing.T, d *db.DB) (*licensing.Store, *catalog) {
	t.Helper()
	c := &catalog{all: map[int64]licensing.Recording{}}
	for id := int64(1); id <= 3; id++ {
		c.put(licensing.Recording{ID: id, OwnerID: 100, Title: "Rain on <tin>\nroof", Contributor: "ana", FileName: "rain.flac", Ext: "flac",
			SHA256: strings.Repeat("ab", 32), Bytes: 1234, Seconds: 10.7004, Fingerprint: []byte{1, 2, 3, 4}, Category: "ss-n", Published: true})
	}
	s := &licensing.Store{DB: d, Now: func() time.Time { return t0 }, Currency: "USD", SiteName: "Test Sounds", SiteURL: "https://sounds.example", Random: &source{r: rand.NewChaCha8([32]byte{7})}, Recording: c.find}
	if err := s.Seed(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s, c
}

// source is deterministic randomness for concurrent readers.
type source struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (s *source) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(b)
}

func usd(minor int64) money.Amount { return money.Of(minor, "USD") }

func TestSeed(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := store(t, d)
		models, err := s.Models(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, m := range models {
			codes = append(codes, m.Code)
			if m.Text == "" || m.Name == "" || m.Summary == "" || len(m.TextSHA256) != 64 || !m.Active || m.Version != 1 {
				t.Errorf("model %s is not complete: %+v", m.Code, m)
			}
			if err := m.Terms.Validate(); err != nil {
				t.Errorf("terms of %s: %v", m.Code, err)
			}
			if strings.Contains(m.Text, "<no value>") || strings.Contains(m.Text, "{{") {
				t.Errorf("the text of %s was not filled in", m.Code)
			}
			if m.IsFree() != (m.SFXMinor == 0) || m.IsFree() != (m.Deed != "") || (!m.IsFree() && m.FloorMinor != 100) {
				t.Errorf("%s: free %v, price %d, floor %d, deed %q", m.Code, m.IsFree(), m.SFXMinor, m.FloorMinor, m.Deed)
			}
		}
		want := "cc0 cc-by-4.0 cc-by-nc-4.0 cc-by-3.0 cc-by-sa-4.0 cc-by-sa-3.0 mit public-domain personal standard broadcast-1m broadcast-10m unlimited"
		if got := strings.Join(codes, " "); got != want {
			t.Errorf("models %s\nwant   %s", got, want)
		}
		standard := models[slices.Index(codes, "standard")]
		for category, price := range map[string]int64{"m-sp": 1900, "is-k": 1900, "fx-a": 300, "ss-n": 300, "": 300} {
			if got := standard.DefaultMinor(category); got != price {
				t.Errorf("Standard costs %d for %q, want %d", got, category, price)
			}
		}
		before, _ := s.PublicKeys(ctx)
		edited := standard
		edited.Name, edited.FloorMinor = "House", 500
		if _, err := s.SaveModel(ctx, edited); err != nil {
			t.Fatal(err)
		}
		if err := s.Seed(ctx); err != nil {
			t.Fatal(err)
		}
		after, _ := s.PublicKeys(ctx)
		if m, err := s.Model(ctx, d, "standard", 0); err != nil || m.Name != "House" || m.FloorMinor != 500 || m.Version != 2 || len(before) != 1 || len(after) != 1 || !before[0].Equal(after[0]) {
			t.Errorf("a second start changed what was there: %+v, %v, keys %v %v", m, err, before, after)
		}
		// A start in another currency is refused once there is a price: 300 cents are not 300 yen.
		other := *s
		other.Currency = "JPY"
		if err := other.Seed(ctx); err != nil {
			t.Errorf("another currency before the first price: %v", err)
		}
		err = d.Tx(ctx, func(tx *db.Tx) error {
			_, err := s.SetOffers(ctx, tx, 1, []licensing.Offer{{Code: "standard", Price: usd(500)}}, false)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Seed(ctx); err == nil || !strings.Contains(err.Error(), "are in USD, so it cannot run in JPY") {
			t.Errorf("another currency after it: %v", err)
		}
	})
}

func TestOffers(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := store(t, d)
		set := func(imports bool, offers ...licensing.Offer) (c licensing.Change, err error) {
			err = d.Tx(ctx, func(tx *db.Tx) error { c, err = s.SetOffers(ctx, tx, 1, offers, imports); return err })
			return c, err
		}
		for _, c := range []struct {
			name    string
			imports bool
			offers  []licensing.Offer
			want    licensing.Change
			refused string // part of the sentence
			free    string
			min     int64
		}{
			{"free", false, []licensing.Offer{{Code: "cc-by-4.0"}}, licensing.Change{}, "", "cc-by-4.0", -1},
			{"paid", false, []licensing.Offer{{Code: "standard", Price: usd(300)}, {Code: "broadcast-1m", Price: usd(900)}}, licensing.Change{Paid: true}, "", "", 300},
			{"free for some, paid for others", false, []licensing.Offer{{Code: "standard", Price: usd(500)}, {Code: "cc-by-nc-4.0"}}, licensing.Change{WasPaid: true}, "", "cc-by-nc-4.0", 500},
			{"paid again", false, []licensing.Offer{{Code: "standard", Price: usd(100)}}, licensing.Change{Paid: true}, "", "", 100},
			{"below the floor", false, []licensing.Offer{{Code: "standard", Price: usd(99)}}, licensing.Change{}, "Standard costs at least $1 here; $0.99 is too little.", "", 100},
			{"unknown", false, []licensing.Offer{{Code: "gpl"}}, licensing.Change{}, "does not know", "", 100},
			{"for imports only", false, []licensing.Offer{{Code: "mit"}}, licensing.Change{}, "only for imported", "", 100},
			{"two free", false, []licensing.Offer{{Code: "cc0"}, {Code: "cc-by-4.0"}}, licensing.Change{}, "one free license", "", 100},
			{"twice", false, []licensing.Offer{{Code: "standard", Price: usd(300)}, {Code: "standard", Price: usd(400)}}, licensing.Change{}, "chosen twice", "", 100},
			{"a price for a free one", false, []licensing.Offer{{Code: "cc0", Price: usd(100)}}, licensing.Change{}, "it has no price", "", 100},
			{"another currency", false, []licensing.Offer{{Code: "standard", Price: money.Of(300, "EUR")}}, licensing.Change{}, "in USD", "", 100},
			{"absurd", false, []licensing.Offer{{Code: "standard", Price: usd(1 << 50)}}, licensing.Change{}, "more than a license may cost", "", 100},
			{"an import", true, []licensing.Offer{{Code: "mit"}}, licensing.Change{WasPaid: true}, "", "mit", -1},
			{"nothing", false, nil, licensing.Change{}, "", "none", -1},
		} {
			got, err := set(c.imports, c.offers...)
			if c.refused != "" {
				var public *web.Public
				if !errors.As(err, &public) || public.Status != http.StatusUnprocessableEntity || !strings.Contains(public.Text, c.refused) {
					t.Errorf("%s: %v, want a refusal with %q", c.name, err, c.refused)
				}
			} else if err != nil || got != c.want {
				t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
			}
			type row struct {
				Recording int64  `db:"recording_id"`
				Free      string `db:"free_code"`
				Paid      int64  `db:"paid"`
				Min       int64  `db:"min_price_minor"`
				Currency  string `db:"currency"`
				Code      string `db:"min_model_code"`
				Name      string `db:"min_model_name"`
			}
			r, err := db.Get[row](ctx, d, `SELECT recording_id, free_code, paid, min_price_minor, currency, min_model_code, min_model_name FROM recording_price WHERE recording_id = 1`)
			if c.free == "none" {
				if !errors.Is(err, db.ErrNotFound) {
					t.Errorf("%s: the view still shows %+v, %v", c.name, r, err)
				}
				continue
			}
			if err != nil || r.Free != c.free || r.Min != c.min || r.Paid != db.Bool(c.free == "") {
				t.Errorf("%s: the view shows %+v, %v", c.name, r, err)
			}
			if (r.Min >= 0) != (r.Name == "Standard" && r.Code == "standard" && r.Currency == "USD") {
				t.Errorf("%s: the view names %q in %q at %d", c.name, r.Name, r.Currency, r.Min)
			}
		}
	})
}

func TestModelNoLongerOffered(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := store(t, d)
		set := func(recording int64, offers ...licensing.Offer) error {
			return d.Tx(ctx, func(tx *db.Tx) error {
				_, err := s.SetOffers(ctx, tx, recording, offers, false)
				return err
			})
		}
		if err := set(1, licensing.Offer{Code: "standard", Price: usd(300)}); err != nil {
			t.Fatal(err)
		}
		m, _ := s.Model(ctx, d, "standard", 0)
		m.Active = false
		if v, err := s.SaveModel(ctx, m); err != nil || v != 1 {
			t.Fatalf("switching off made version %d, %v", v, err)
		}
		if err := set(2, licensing.Offer{Code: "standard", Price: usd(300)}); err == nil || !strings.Contains(err.Error(), "no longer offered") {
			t.Errorf("a new offer under it: %v", err)
		}
		if err := set(1, licensing.Offer{Code: "standard", Price: usd(400)}); err != nil {
			t.Errorf("an old offer cannot stay: %v", err)
		}
		if _, err := s.ForSale(ctx, d, 1, "standard"); err == nil || !strings.Contains(err.Error(), "no longer offered") {
			t.Errorf("it is still for sale: %v", err)
		}
		if min, err := db.Get[int64](ctx, d, `SELECT min_price_minor FROM recording_price WHERE recording_id = 1`); err != nil || min != -1 {
			t.Errorf("the view shows a price of %d, %v", min, err)
		}
		if paid, err := db.Get[int64](ctx, d, `SELECT paid FROM recording_price WHERE recording_id = 1`); err != nil || paid != 1 {
			t.Errorf("the recording became free: paid %d, %v", paid, err)
		}
	})
}

func TestSoldLicenseKeepsItsText(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := store(t, d)
		first, _ := s.Model(ctx, d, "standard", 0)
		var sold licensing.License
		err := d.Tx(ctx, func(tx *db.Tx) (err error) {
			sold, err = s.Issue(ctx, tx, licensing.Grant{AccountID: 7, RecordingID: 1, Code: "standard", Version: 1, OrderLine: 55, OrderNumber: "2026-00418",
				Price: usd(900), Licensee: "Mara Lind", Company: "Northlight", Project: "The Ferry"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		edited := first
		edited.Text += "\n\nOne more rule.\n"
		edited.Terms.Copies = 5
		if v, err := s.SaveModel(ctx, edited); err != nil || v != 2 {
			t.Fatalf("version %d, %v", v, err)
		}
		if v, err := s.SaveModel(ctx, edited); err != nil || v != 2 {
			t.Errorf("saving the same again made version %d, %v", v, err)
		}
		old, err := s.Model(ctx, d, "standard", 1)
		if err != nil || old.Text != first.Text || old.Terms != first.Terms {
			t.Errorf("version 1 changed: %v", err)
		}
		v, err := s.Verify(ctx, strings.ToLower(certificate.Group(sold.Number)))
		if err != nil || v.Err != nil {
			t.Fatalf("verify: %v, %v", err, v.Err)
		}
		c := v.Certificate
		want := certificate.Certificate{Format: certificate.Format, Number: sold.Number, Issued: t0.Truncate(time.Second),
			Issuer: certificate.Issuer{Name: "Test Sounds", URL: "https://sounds.example", Key: sold.KeyID}, Licensee: certificate.Licensee{Name: "Mara Lind", Company: "Northlight"},
			Project:   "The Ferry",
			Recording: certificate.Recording{ID: 1, Title: "Rain on <tin>\nroof", Contributor: "ana", FileName: "rain.flac", SHA256: strings.Repeat("ab", 32), Fingerprint: c.Recording.Fingerprint, Bytes: 1234, DurationMS: 10_700},
			License:   certificate.License{Code: "standard", Name: "Standard", Version: 1, TextSHA256: first.TextSHA256, Terms: first.Terms},
			Order:     certificate.Order{Number: "2026-00418", Amount: usd(900)}}
		if c != want || len(c.Recording.Fingerprint) != 64 {
			t.Errorf("certificate\n%+v\nwant\n%+v", c, want)
		}
		if wrong, err := s.Check(ctx); err != nil || len(wrong) > 0 {
			t.Errorf("check finds %v, %v", wrong, err)
		}

		// The same order line never gives a second license.
		err = d.Tx(ctx, func(tx *db.Tx) error {
			_, err := s.Issue(ctx, tx, licensing.Grant{AccountID: 7, RecordingID: 1, Code: "standard", Version: 1, OrderLine: 55, Licensee: "x"})
			return err
		})
		if !db.IsUnique(err) {
			t.Errorf("a second license for one order line: %v", err)
		}

		// A change of the stored bytes shows.
		if _, err := d.Writer().Exec(`UPDATE license SET certificate = replace(certificate, 'The Ferry', 'The Fairy')`); err != nil {
			t.Fatal(err)
		}
		if v, err := s.Verify(ctx, sold.Number); err != nil || !errors.Is(v.Err, certificate.ErrAltered) {
			t.Errorf("an altered certificate verifies: %v, %v", err, v.Err)
		}
		if wrong, err := s.Check(ctx); err != nil || len(wrong) != 1 || !strings.Contains(wrong[0], "altered") {
			t.Errorf("check finds %v, %v", wrong, err)
		}
	})
}

func TestLicenseForAndRevoke(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := store(t, d)
		has := func(account, recording int64) bool {
			t.Helper()
			ok, err := s.Licensed(ctx, d, account, recording)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if has(7, 1) || has(0, 1) {
			t.Error("somebody holds a license that nobody issued")
		}
		err := d.Tx(ctx, func(tx *db.Tx) error {
			_, err := s.Issue(ctx, tx, licensing.Grant{AccountID: 7, RecordingID: 1, Code: "standard", Version: 1, OrderLine: 1, Price: usd(300), Licensee: "m"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !has(7, 1) || has(7, 2) || has(8, 1) || has(0, 1) {
			t.Error("the license belongs to somebody else or something else")
		}
		if err := d.Tx(ctx, func(tx *db.Tx) error { return s.RevokeLine(ctx, tx, 1, "Refunded.") }); err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(ctx, func(tx *db.Tx) error { return s.RevokeLine(ctx, tx, 1, "Again.") }); err != nil {
			t.Fatal(err)
		}
		if has(7, 1) {
			t.Error("a revoked license still counts")
		}
		l, err := s.ByOrderLine(ctx, d, 1)
		if err != nil || l.Valid() || l.RevokedWhy != "Refunded." {
			t.Errorf("revoked license %+v, %v", l, err)
		}
		if v, err := s.Verify(ctx, l.Number); err != nil || v.Err != nil || v.License.Valid() {
			t.Errorf("a revoked certificate: %v, %v", err, v.Err)
		}
		for _, n := range []string{"", "x", strings.Repeat("0", 26)} {
			if _, err := s.Verify(ctx, n); !errors.Is(err, db.ErrNotFound) {
				t.Errorf("number %q: %v", n, err)
			}
		}
	})
}

func TestTakeFree(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, c := store(t, d)
		for id, o := range map[int64]licensing.Offer{1: {Code: "cc-by-4.0"}, 2: {Code: "standard", Price: usd(300)}, 3: {Code: "cc0"}} {
			if err := d.Tx(ctx, func(tx *db.Tx) error { _, err := s.SetOffers(ctx, tx, id, []licensing.Offer{o}, false); return err }); err != nil {
				t.Fatal(err)
			}
		}
		// Many clicks at once give one license.
		numbers := make(chan string, 8)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				l, err := s.TakeFree(ctx, 7, 1, " Mara\u202e  Lind ")
				if err != nil {
					t.Error(err)
				}
				if l.Licensee != "Mara Lind" {
					t.Errorf("licensee %q", l.Licensee)
				}
				numbers <- l.Number
			})
		}
		wg.Wait()
		close(numbers)
		seen := map[string]bool{}
		for n := range numbers {
			seen[n] = true
		}
		if held, err := s.Held(ctx, d, 7); err != nil || len(held) != 1 || len(seen) != 1 || held[0].OrderLine != nil {
			t.Errorf("%d licenses with numbers %v, %v", len(held), seen, err)
		}
		rec, _ := c.find(ctx, d, 3)
		rec.Published = false
		c.put(rec)
		for id, status := range map[int64]int{2: http.StatusForbidden, 3: http.StatusConflict} {
			_, err := s.TakeFree(ctx, 7, id, "m")
			var public *web.Public
			if !errors.As(err, &public) || public.Status != status {
				t.Errorf("recording %d: %v, want %d", id, err, status)
			}
		}
		if _, err := s.TakeFree(ctx, 7, 99, "m"); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a recording that does not exist: %v", err)
		}
	})
}

func TestAttribution(t *testing.T) {
	t.Parallel()
	s := licensing.Store{SiteURL: "https://sounds.example"}
	models, err := licensing.Defaults(100)
	if err != nil {
		t.Fatal(err)
	}
	by, standard := models[1], models[9]
	rec := licensing.Recording{ID: 17, Title: "Rain\non  tin", Contributor: "ana"}
	for want, got := range map[string]string{
		"Rain on tin by ana -- https://sounds.example/recordings/17 -- License: CC BY 4.0, http://creativecommons.org/licenses/by/4.0/": s.Attribution(rec, by),
		"Rain on tin by ana -- https://sounds.example/recordings/17 -- License: Standard, https://sounds.example/licenses/standard":     s.Attribution(rec, standard),
	} {
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	if s.DeedURL(by) != "http://creativecommons.org/licenses/by/4.0/" || s.DeedURL(standard) != "https://sounds.example/licenses/standard" {
		t.Errorf("deeds %s, %s", s.DeedURL(by), s.DeedURL(standard))
	}
}

func TestSaveModelRefuses(t *testing.T) {
	t.Parallel()
	testkit.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := store(t, d)
		good, _ := s.Model(ctx, d, "standard", 0)
		for name, edit := range map[string]func(*licensing.Model){
			"no name":            func(m *licensing.Model) { m.Name = " " },
			"two lines of name":  func(m *licensing.Model) { m.Name = "a\nb" },
			"no summary":         func(m *licensing.Model) { m.Summary = "" },
			"no text":            func(m *licensing.Model) { m.Text = " \n" },
			"a megabyte":         func(m *licensing.Model) { m.Text = strings.Repeat("x", 1<<20) },
			"NUL":                func(m *licensing.Model) { m.Text = "a\x00b" },
			"negative price":     func(m *licensing.Model) { m.SFXMinor = -1 },
			"a floor of nothing": func(m *licensing.Model) { m.FloorMinor = 0 },
			"impossible terms":   func(m *licensing.Model) { m.Terms.Seats = -5 },
		} {
			m := good
			edit(&m)
			var public *web.Public
			if _, err := s.SaveModel(ctx, m); !errors.As(err, &public) || public.Status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %v", name, err)
			}
		}
		missing := good
		missing.Code = "nothing"
		if _, err := s.SaveModel(ctx, missing); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a model that does not exist: %v", err)
		}
	})
}

// FuzzCleanField looks for a text that comes out with control characters, too long, or changed by a second cleaning.
func FuzzCleanField(f *testing.F) {
	for _, s := range []string{"Mara Lind", "a\x00b", "\u202eevil", " \t x ", "👩‍🚀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, ok := licensing.CleanField(in)
		if !ok {
			return
		}
		if again, ok := licensing.CleanField(out); !ok || again != out {
			t.Fatalf("%q cleans to %q, which cleans to %q", in, out, again)
		}
		if strings.ContainsAny(out, "\x00\n\r\t\u202e") || len([]rune(out)) > 200 {
			t.Fatalf("%q cleans to %q", in, out)
		}
	})
}
