// Package search finds recordings: the index in memory, kept up with SQL through the change feed, the search page, home, and
// the rows in which recordings are listed everywhere.
//
// Its tables are the operator's list of synonyms and the searches that people saved. The index (package index) is filled from the recordings that are published, and every change in the feed
// reloads the recording it names, so a new one is found and a withdrawn one gone within a second on every node. SQL is the
// truth: what the index returns is read from the tables again before it is shown.
//
// A snapshot of the index lies in the data folder, so that a start need not read every table. It is never older than what the feed still
// tells, one that does not fit is thrown away, and a text that was erased is gone from it at the next writing: within ten minutes.
package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/listening"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search/index"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Store is the index and what its pages need.
type Store struct {
	DB         *db.DB
	Feed       *feed.Feed
	Recordings *recordings.Store
	Listening  *listening.Store
	Site       *web.Site
	Log        *slog.Logger
	Currency   string
	Space      *likeness.Space
	// InCart lists which recordings the request's cart holds, with the license model; app sets it to orders' answer.
	InCart func(ctx context.Context) (map[int64]string, error)
	// Held lists which of the recordings the account holds a license to, with the newest license's id; app sets it to
	// licensing's answer.
	Held func(ctx context.Context, account int64, ids []int64) (map[int64]int64, error)
	// Favored lists which of the recordings are among the account's favorites; app sets it to reactions' answer.
	Favored func(ctx context.Context, account int64, ids []int64) (map[int64]bool, error)
	// People tells by account id the names that people read and where they lead. Whoever has no page any more is told without
	// an address. App sets it to people's answer.
	People func(ctx context.Context, ids []int64) (map[int64]ui.Link, error)

	// SnapshotFile is where the index is kept between two runs of the process; "" keeps it nowhere. Instance is the installation that
	// it is of.
	SnapshotFile, Instance string

	// Since is when this installation was made, unix microseconds: by it the feeds of searches are named.
	Since int64

	// Ratings tells the mean rating of recordings that have one; app sets it to reactions' answer.
	Ratings func(ctx context.Context, ids []int64) (map[int64]float64, error)

	// Ear listens to sounds that are searched by.
	Ear Ear

	choice  choice
	tunes   tunes
	ix      *index.Index // read only when ready is closed
	once    sync.Once    // makes ready
	ready   chan struct{}
	toFill  atomic.Int64 // recordings that the tables have for the filling that is under way, 0 before they are counted
	put     atomic.Int64 // of those the ones that are in
	applied atomic.Int64 // number of the feed up to which the index has everything
	loading sync.Mutex   // held while recordings are read and put in: an older reading must not overwrite a newer one
	saved   int64        // the same of the snapshot; only KeepSnapshot's goroutine and Fill touch it

	stale    atomic.Bool // what Compare repaired is not in the snapshot
	repaired atomic.Int64
}

// document is one published recording as the index wants it.
type document struct {
	ID              int64            `db:"id"`
	State           recordings.State `db:"state"`
	Title           string           `db:"title"`
	Description     string           `db:"description"`
	Contributor     string           `db:"contributor"`
	OwnerID         int64            `db:"owner_id"`
	Pack            string           `db:"pack"`
	PackID          int64            `db:"pack_id"`
	Category        string           `db:"category"`
	FreeCode        string           `db:"free_code"`
	MinPrice        int64            `db:"min_price_minor"`
	MinModel        string           `db:"min_model_code"`
	Seconds         float64          `db:"seconds"`
	LUFS            *float64         `db:"lufs"`
	Centroid        float64          `db:"centroid"`
	Tempo           float64          `db:"tempo"`
	TempoConfidence float64          `db:"tempo_confidence"`
	Key             string           `db:"musical_key"`
	KeyConfidence   float64          `db:"key_confidence"`
	Channels        int64            `db:"channels"`
	SampleRate      int64            `db:"sample_rate"`
	BitDepth        int64            `db:"bit_depth"`
	Type            string           `db:"ext"`
	Loopable        int64            `db:"loopable"`
	PublishedAt     int64            `db:"published_at"`
	Downloads       int64            `db:"downloads"`
	Vector          []byte           `db:"vector"`
}

// documentQuery joins what the owners of the tables publish: views and columns of recordings. %s is a list of ids.
const documentQuery = `SELECT r.id, r.state, r.title, r.description, a.name AS contributor, r.owner_id, coalesce(p.name, '') AS pack, r.pack_id, r.category,
	coalesce(c.free_code, '') AS free_code, coalesce(c.min_price_minor, -1) AS min_price_minor, coalesce(c.min_model_code, '') AS min_model_code,
	r.seconds, r.lufs, r.centroid, r.tempo, r.tempo_confidence, r.musical_key, r.key_confidence, r.channels, r.sample_rate, r.bit_depth, r.ext, r.loopable,
	r.published_at, r.downloads, n.vector
	FROM recording r JOIN account_public a ON a.id = r.owner_id LEFT JOIN pack p ON p.id = r.pack_id LEFT JOIN recording_price c ON c.recording_id = r.id
	LEFT JOIN recording_analysis n ON n.recording_id = r.id WHERE r.id IN (%s) ORDER BY r.id`

// sureKey is the confidence from which a key is shown and searchable.
const sureKey = .5

// load reads those of some recordings that are published.
func (s *Store) load(ctx context.Context, ids []int64) ([]index.Document, error) {
	in, args := db.In(1, ids)
	rows, err := db.Query[document](ctx, s.DB, fmt.Sprintf(documentQuery, in), args...)
	if err != nil {
		return nil, fmt.Errorf("load recordings for the index: %w", err)
	}
	// By the state here: in the statement it would tempt a planner into walking all that are published.
	rows = slices.DeleteFunc(rows, func(r document) bool { return r.State != recordings.Published })
	ids = make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	tags, err := s.Recordings.TagsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	licenses, err := s.offers(ctx, ids)
	if err != nil {
		return nil, err
	}
	owners := make([]int64, len(rows))
	for i, r := range rows {
		owners[i] = r.OwnerID
	}
	people, err := s.People(ctx, owners)
	if err != nil {
		return nil, err
	}
	ratings, err := s.Ratings(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]index.Document, len(rows))
	for i, r := range rows {
		d := index.Document{
			ID: r.ID, Title: r.Title, Description: r.Description, Contributor: r.Contributor, ContributorShown: people[r.OwnerID].Text, ContributorID: r.OwnerID, Pack: r.Pack, PackID: r.PackID,
			Tags: tags[r.ID], Category: r.Category, Licenses: licenses[r.ID], Free: r.FreeCode != "", PriceMinor: r.MinPrice, Seconds: r.Seconds, LUFS: math.NaN(), CentroidHz: r.Centroid,
			Tempo: r.Tempo, TempoConfidence: r.TempoConfidence, Channels: int(r.Channels), SampleRate: int(r.SampleRate), BitDepth: int(r.BitDepth), Type: r.Type,
			Loopable: r.Loopable != 0, PublishedAt: r.PublishedAt, Downloads: r.Downloads, Rating: ratings[r.ID], Vector: s.Space.Project(r.Vector),
		}
		if r.LUFS != nil {
			d.LUFS = *r.LUFS
		}
		if r.KeyConfidence >= sureKey {
			d.Key = r.Key
		}
		out[i] = d
	}
	return out, nil
}

// offers lists under which models recordings are offered, through licensing's view offer_open.
func (s *Store) offers(ctx context.Context, ids []int64) (map[int64][]string, error) {
	type row struct {
		ID   int64  `db:"recording_id"`
		Code string `db:"model_code"`
	}
	in, args := db.In(1, ids)
	rows, err := db.Query[row](ctx, s.DB, `SELECT recording_id, model_code FROM offer_open WHERE recording_id IN (`+in+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("load offers for the index: %w", err)
	}
	out := map[int64][]string{}
	for _, r := range rows {
		out[r.ID] = append(out[r.ID], r.Code)
	}
	return out, nil
}

// indexConfig is how the index is made here.
func (s *Store) indexConfig() index.Config {
	return index.Config{VectorDims: likeness.Dims, MinorUnits: s.minorUnits()}
}

// minorUnits are those of one unit of the currency of prices.
func (s *Store) minorUnits() int64 {
	n := int64(1)
	for range money.Digits(s.Currency) {
		n *= 10
	}
	return n
}

// rebuild fills the index from the tables. It reads the feed's number first: what changes meanwhile is applied again, which does no
// harm.
func (s *Store) rebuild(ctx context.Context) (seq int64, err error) {
	if seq, err = s.Feed.Head(ctx); err != nil {
		return 0, fmt.Errorf("fill the index: %w", err)
	}
	if err := s.countToFill(ctx); err != nil {
		return 0, fmt.Errorf("fill the index: %w", err)
	}
	ix := index.New(s.indexConfig())
	last, batch := int64(0), []index.Document(nil)
	var failed error
	err = ix.PutAll(func() (index.Document, bool) {
		for len(batch) == 0 {
			var ids []int64
			// Page by page of ids, whatever their state: asked for the next that are published, SQLite walks the index of states and
			// sorts all of them anew for every page.
			if ids, failed = db.Query[int64](ctx, s.DB, `SELECT id FROM recording WHERE id > $1 ORDER BY id LIMIT 1000`, last); failed != nil || len(ids) == 0 {
				return index.Document{}, false
			}
			if batch, failed = s.load(ctx, ids); failed != nil {
				return index.Document{}, false
			}
			last = ids[len(ids)-1]
		}
		d := batch[0]
		batch = batch[1:]
		s.put.Add(1)
		return d, true
	})
	if err = errors.Join(failed, err); err != nil {
		return 0, err
	}
	s.ix = ix
	return seq, nil
}

// keep keeps the index up with the feed from a number on, and its snapshot and cells with the index, until ctx ends.
func (s *Store) keep(ctx context.Context, seq int64) {
	var done sync.WaitGroup
	followed := make(chan struct{})
	done.Go(func() {
		defer close(followed)
		s.Follow(ctx, seq)
	})
	done.Go(func() { s.KeepSnapshot(ctx, followed) })
	done.Go(func() { s.KeepCompared(ctx) })
	done.Go(func() { s.KeepClustered(ctx) })
	done.Wait()
}

// Follow keeps the index up with the feed until ctx ends.
func (s *Store) Follow(ctx context.Context, seq int64) {
	var filled sync.WaitGroup
	filled.Go(func() { // beside the feed, for nobody waits for a melody at the start
		if err := s.fillTunes(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("read melodies and rhythms", "err", err)
		}
	})
	defer filled.Wait()
	s.Feed.Follow(ctx, seq, func(list []feed.Change) error {
		err := s.apply(ctx, list)
		if err == nil {
			s.applied.Store(list[len(list)-1].Seq)
		}
		return err
	})
}

func (s *Store) apply(ctx context.Context, list []feed.Change) error {
	changed := map[int64]bool{}
	for _, c := range list {
		switch c.Kind {
		case "recording":
			changed[c.ID] = true
		case synonymsChanged:
			if err := s.useSynonyms(ctx); err != nil {
				return err
			}
		case "account", "person": // a name that changed, or an account that was suspended
			ids, err := db.Query[int64](ctx, s.DB, `SELECT id FROM recording WHERE owner_id = $1 AND state = 'published'`, c.ID)
			if err != nil {
				return err
			}
			for _, id := range ids {
				changed[id] = true
			}
		case "license model": // offered again, or no more, or its floor moved: whatever has a price may have another, or none
			ids, err := db.Query[int64](ctx, s.DB, `SELECT r.id FROM recording r JOIN recording_price p ON p.recording_id = r.id WHERE r.state = 'published' AND p.priced = 1`)
			if err != nil {
				return err
			}
			for _, id := range ids {
				changed[id] = true
			}
		}
	}
	return s.reload(ctx, slices.Collect(maps.Keys(changed)))
}

// reload puts recordings in as the tables have them now, or takes them out.
func (s *Store) reload(ctx context.Context, ids []int64) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	for len(ids) > 0 {
		part := ids[:min(len(ids), 500)]
		ids = ids[len(part):]
		docs, err := s.load(ctx, part)
		if err != nil {
			return err
		}
		contours, err := s.Recordings.Contours(ctx, part)
		if err != nil {
			return err
		}
		s.tunes.put(contours)
		found := map[int64]bool{}
		for _, d := range docs {
			found[d.ID] = true
			if err := s.ix.Put(d); err != nil {
				return fmt.Errorf("index recording %d: %w", d.ID, err)
			}
		}
		for _, id := range part {
			if !found[id] {
				s.ix.Delete(id)
			}
		}
	}
	return nil
}

// Index is the index, for the faces that search by their own language. Nobody may ask for it before it is ready.
func (s *Store) Index() *index.Index { return s.ix }

// clusterEvery is how often it is looked whether the index has so many vectors, or so many more, that they are to be sorted into cells.
const clusterEvery = time.Minute

// KeepClustered sorts the vectors of a large index into cells, at first and when they changed much, until ctx ends. Similar sounds are looked
// for meanwhile as before: among all, or in the old cells.
func (s *Store) KeepClustered(ctx context.Context) {
	tick := time.NewTicker(clusterEvery)
	defer tick.Stop()
	for {
		begin := time.Now()
		if done, err := s.ix.Cluster(ctx); err == nil && done { // it ends early only with ctx
			s.Log.Info("sorted the vectors of similar sounds into cells", "cells", s.ix.Cells(), "seconds", time.Since(begin).Seconds())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Similar lists up to n published recordings that sound like one, the nearest first. Two from the same contributor may
// both be there; the recording itself is not. While the index is filled there are none.
func (s *Store) Similar(id int64, n int) []int64 {
	if !s.Ready() {
		return nil
	}
	hits, _ := s.ix.Similar(id, n, nil)
	out := make([]int64, len(hits))
	for i, h := range hits {
		out[i] = h.ID
	}
	return out
}
