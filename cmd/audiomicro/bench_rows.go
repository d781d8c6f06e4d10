package main

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/app"
	"audiomicro/internal/audio/describe"
	"audiomicro/internal/audio/likeness"
	"audiomicro/internal/audio/spectrum"
	"audiomicro/internal/db"
	"audiomicro/internal/search/index"
	"audiomicro/internal/search/query"
)

// catalogBatch is how many made-up recordings one transaction writes.
const catalogBatch = 5000

// firstFreeID is beyond all ids of a made-up catalog.
const firstFreeID = 1 << 32

// sqliteMostArgs is how many arguments one statement takes at most (SQLITE_MAX_VARIABLE_NUMBER).
const sqliteMostArgs = 32766

// catalog writes a made-up catalog into the tables, as if its recordings had been uploaded, analyzed and published: all but their
// sounds and pictures.
type catalog struct {
	app   *app.App
	r     *rand.Rand
	now   int64
	waves []waves
	kinds [][]byte // packed vectors of kinds of sound
	packs map[int64]bool
	rows  map[string]*rowsOf
}

// waves are a drawn waveform, small and wide, and the tones of the whole.
type waves struct{ bars, wave, tones string }

// rowsOf gathers rows of one table.
type rowsOf struct {
	columns string
	args    []any
	n       int
}

// fillCatalog publishes n recordings of index.Synthetic in an empty site.
func fillCatalog(ctx context.Context, a *app.App, n int, tell func(done int)) error {
	c := &catalog{app: a, r: rand.New(rand.NewPCG(7, uint64(n))), now: a.Now().UnixMicro(), packs: map[int64]bool{}, rows: map[string]*rowsOf{}}
	for range 64 {
		c.waves = append(c.waves, c.draw())
	}
	for range 300 {
		kind := make([]byte, likeness.Size)
		for i := range kind {
			kind[i] = byte(int8(c.r.NormFloat64() * 25))
		}
		c.kinds = append(c.kinds, kind)
	}
	next, people := index.Synthetic(n, 1), map[int64]bool{}
	for done := 0; done < n; {
		for range min(catalogBatch, n-done) {
			d, _ := next()
			if !people[d.ContributorID] {
				people[d.ContributorID] = true
				c.person(d)
			}
			c.recording(d)
			done++
		}
		if err := c.flush(ctx, int64(done)); err != nil {
			return err
		}
		tell(done)
	}
	return a.DB.Tx(ctx, func(tx *db.Tx) error { // what is made from now on gets other ids
		for _, kind := range []string{"account", "recording", "pack"} {
			_, err := db.Exec(ctx, tx, `INSERT INTO id_block (kind, next) VALUES ($1, $2) ON CONFLICT (kind) DO UPDATE SET next = $2`, kind, firstFreeID)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// add gathers a row; columns names them as an INSERT does.
func (c *catalog) add(table, columns string, args ...any) {
	rows := c.rows[table]
	if rows == nil {
		rows = &rowsOf{columns: columns}
		c.rows[table] = rows
	}
	rows.args = append(rows.args, args...)
	rows.n++
}

// flush writes what was gathered, and the last id to the feed, which is what a snapshot of the index is known by.
func (c *catalog) flush(ctx context.Context, last int64) error {
	return c.app.DB.Tx(ctx, func(tx *db.Tx) error {
		for table, rows := range c.rows {
			if err := rows.insert(ctx, tx, table); err != nil {
				return err
			}
		}
		c.rows = map[string]*rowsOf{}
		c.app.Feed.Note(ctx, tx, "recording", last)
		return nil
	})
}

func (r *rowsOf) insert(ctx context.Context, tx *db.Tx, table string) error {
	width := len(r.args) / r.n
	for args := r.args; len(args) > 0; {
		part := args[:min(len(args), sqliteMostArgs/width*width)]
		args = args[len(part):]
		var sql strings.Builder
		fmt.Fprintf(&sql, "INSERT INTO %s (%s) VALUES ", table, r.columns)
		for i := range part {
			switch {
			case i == 0:
				sql.WriteString("($")
			case i%width == 0:
				sql.WriteString("),($")
			default:
				sql.WriteString(",$")
			}
			sql.WriteString(strconv.Itoa(i + 1))
		}
		sql.WriteString(")")
		if _, err := db.Exec(ctx, tx, sql.String(), part...); err != nil {
			return fmt.Errorf("fill %s: %w", table, err)
		}
	}
	return nil
}

// person is a contributor who can never sign in: the hash of the password is none.
func (c *catalog) person(d index.Document) {
	name := strings.ToUpper(d.Contributor[:1]) + d.Contributor[1:]
	mail := d.Contributor + "@example.org"
	c.add("account", `id, name, name_folded, email, email_folded, password_hash, role, state, age_band, adult_on, contributor_since, contributor_terms,
		theme, created_at, confirmed_at, signed_in_at`,
		d.ContributorID, name, query.Fold(name), mail, mail, "-", "member", "active", "adult", 0, c.now, 1, "", c.now, c.now, c.now)
}

func (c *catalog) recording(d index.Document) {
	if d.PackID != 0 && !c.packs[d.PackID] {
		c.packs[d.PackID] = true
		c.add("pack", "id, owner_id, name, name_folded, created_at", d.PackID, d.ContributorID, d.Pack, query.Fold(d.Pack), d.PublishedAt)
	}
	drawn := c.waves[c.r.IntN(len(c.waves))]
	key, sure := "", 0.0
	if d.Key != "" {
		key, sure = longKey(d.Key), 1
	}
	id := fmt.Sprintf("%032x", d.ID)
	c.add("recording", `id, owner_id, token, state, processing, progress, title, description, category, pack_id, rights, rights_at, file_name, byte_size, sha256, md5,
		container, codec, ext, sample_rate, channels, bit_depth, lossless, seconds, frames, lufs, loudness_range, true_peak, tempo, tempo_confidence, musical_key,
		key_confidence, centroid, loopable, bars, wave, tones, paid, downloads, created_at, updated_at, submitted_at, published_at`,
		d.ID, d.ContributorID, mediaToken(d.ID), "published", "ready", 100, d.Title, d.Description, d.Category, d.PackID, "made up", d.PublishedAt,
		strings.ReplaceAll(d.Title, " ", "-")+"."+d.Type, int64(d.Seconds*float64(d.SampleRate*d.Channels*2)), id+id, id,
		d.Type, d.Type, d.Type, d.SampleRate, d.Channels, d.BitDepth, 1, d.Seconds, int64(d.Seconds*float64(d.SampleRate)), d.LUFS, 6.0, min(d.LUFS+12, 0), d.Tempo, d.TempoConfidence, key,
		sure, d.CentroidHz, db.Bool(d.Loopable), drawn.bars, drawn.wave, drawn.tones, db.Bool(!d.Free), d.Downloads, d.PublishedAt, d.PublishedAt, d.PublishedAt, d.PublishedAt)
	for i, tag := range d.Tags {
		if !slices.Contains(d.Tags[:i], tag) {
			c.add("recording_tag", "recording_id, tag, position", d.ID, tag, i)
		}
	}
	for i, code := range d.Licenses {
		price := int64(0)
		if code == "broadcast" {
			code = "broadcast-1m"
		}
		if !d.Free {
			price = max(d.PriceMinor, 100) << (2 * i)
		}
		c.add("offer", "recording_id, model_code, price_minor, currency, created_at", d.ID, code, price, c.app.Config.Currency, d.PublishedAt)
	}
	c.add("recording_analysis", "recording_id, version, described, descriptors, vector, fingerprint, pcm_sha256, created_at",
		d.ID, likeness.Version, describe.Version, "{}", c.vector(), []byte{}, id+id, d.PublishedAt)
}

// vector is near one of the kinds of sound.
func (c *catalog) vector() []byte {
	v := bytes.Clone(c.kinds[c.r.IntN(len(c.kinds))])
	for i := range v {
		v[i] += byte(int8(c.r.NormFloat64() * 8))
	}
	return v
}

// longKey writes "Am" as analysis does: "A minor".
func longKey(key string) string {
	if root, minor := strings.CutSuffix(key, "m"); minor {
		return root + " minor"
	}
	return key + " major"
}

// mediaToken is a token of the usual form. It ascends with the ids, so that the tables' trees grow at their ends.
func mediaToken(id int64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(id))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// draw makes up a waveform: some swelling and fading of noise whose color drifts.
func (c *catalog) draw() waves {
	phase, speed, hue := c.r.Float64()*2*math.Pi, 1+c.r.Float64()*6, c.r.IntN(8)
	at := func(x float64) (height float64, tone uint8) {
		height = (.15 + .85*math.Abs(math.Sin(phase+speed*x))) * (1 - .7*x) * (.6 + .4*c.r.Float64())
		return height, uint8((hue + int(3*x)) % 8)
	}
	row, wide := spectrum.Row{Bars: make([]spectrum.Bar, spectrum.RowBars)}, spectrum.Wide{Bars: make([]spectrum.WideBar, spectrum.WideBars)}
	for i := range row.Bars {
		h, tone := at(float64(i) / spectrum.RowBars)
		row.Bars[i] = spectrum.Bar{Height: uint8(1 + h*(spectrum.RowHeight-1)), Tone: tone}
	}
	for i := range wide.Bars {
		h, tone := at(float64(i) / spectrum.WideBars)
		wide.Bars[i] = spectrum.WideBar{Low: int8(-h * 127), High: int8(h * 127), Tone: tone}
	}
	tones := make([]string, 8)
	for i := range tones {
		tones[i] = strconv.Itoa(c.r.IntN(101))
	}
	return waves{row.Encode(), wide.Encode(), strings.Join(tones, ",")}
}
