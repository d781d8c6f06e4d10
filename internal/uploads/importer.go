package uploads

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
)

// ImportColumns are the columns of an import's table. file is required: a path below the folder. license takes one code or
// several joined by +, price as many prices joined by + (or nothing: the model's default).
var ImportColumns = slices.Concat([]string{"file", "title", "description", "tags", "category", "pack", "license", "price", "credit", "source_url"}, placeColumns)

// Importer brings a folder of sounds in. It may be run again after any interruption: a file whose bytes the account has sent
// before is not taken twice, and what it still lacks is added.
type Importer struct {
	Store   *Store
	As      access.Actor // the contributor
	Dir     string
	Table   io.Reader // CSV with ImportColumns; nil: every file below Dir
	License string    // for files without one in the table; as in its license column
	Publish bool      // submit and approve what is complete
	// Approve publishes a submitted recording; the command sets it to moderation's.
	Approve func(ctx context.Context, id int64) error
	// Tell is told of each file when it is done with; nil: nobody is.
	Tell func(Imported)
}

// Imported is what became of one file.
type Imported struct {
	File   string `json:"file"`
	ID     int64  `json:"id,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	State  string `json:"state"` // a recordings.State, "skipped" (no sound) or "failed"
	New    bool   `json:"new"`   // taken by this run
	Error  string `json:"error,omitempty"`
}

// States of files that became no recording.
const (
	ImportSkipped = "skipped"
	ImportFailed  = "failed"
)

type importRow struct {
	file, title, description, tags, category, pack, place, credit, source string
	offers                                                                []licensing.Offer
	listed                                                                bool // in the table: what is no sound is an error
	done                                                                  Imported
}

// Run imports, waits for the analysis of what it took, and answers what became of each file. The error says what stopped
// the whole; faults of single files are in the list.
func (im *Importer) Run(ctx context.Context) ([]Imported, error) {
	root, err := os.OpenRoot(im.Dir)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	defer root.Close()
	rows, err := im.rows(ctx, root)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := im.take(ctx, root, &rows[i]); err != nil {
			return nil, err
		}
	}
	if err := im.finish(ctx, rows); err != nil {
		return nil, err
	}
	out := make([]Imported, len(rows))
	for i, r := range rows {
		out[i] = r.done
	}
	return out, nil
}

func (im *Importer) tell(r *importRow) {
	if im.Tell != nil {
		im.Tell(r.done)
	}
}

// rows reads the table or the folder. Every license, price, category and place is checked before the first file is taken.
func (im *Importer) rows(ctx context.Context, root *os.Root) ([]importRow, error) {
	models, err := im.Store.Licensing.Models(ctx, im.Store.DB)
	if err != nil {
		return nil, err
	}
	fallback, err := im.offers(models, im.License, "", "")
	if err != nil {
		return nil, err
	}
	if im.Table == nil {
		return folderRows(root, fallback)
	}
	table, err := readTable(im.Table, ImportColumns, []string{"file"})
	if err != nil {
		return nil, err
	}
	var rows []importRow
	var errs []error
	for _, t := range table {
		c := t.Cells
		r := importRow{file: c["file"], title: c["title"], description: c["description"], tags: c["tags"], category: strings.TrimSpace(c["category"]), pack: c["pack"],
			credit: c["credit"], source: c["source_url"], offers: fallback, listed: true}
		for _, text := range []struct{ column, why string }{
			{"title", recordings.LengthRefused(r.title, recordings.MaxTitle)}, {"description", recordings.LengthRefused(r.description, recordings.MaxDescription)},
			{"tags", recordings.TagsRefused(r.tags)}, {"pack", recordings.LengthRefused(r.pack, recordings.MaxPack)},
		} {
			if text.why != "" {
				errs = append(errs, &CellError{t.Line, text.column, text.why})
			}
		}
		if _, ok := taxonomy.Find(r.category); r.category != "" && !ok {
			errs = append(errs, &CellError{t.Line, "category", fmt.Sprintf("%q is no category code.", clip(r.category, 40))})
		}
		place, _, wrong := placeCell(t)
		if r.place = place; wrong != nil {
			errs = append(errs, wrong)
		}
		if c["license"] != "" {
			if r.offers, err = im.offers(models, c["license"], c["price"], r.category); err != nil {
				errs = append(errs, &CellError{t.Line, "license", err.Error()})
			}
		}
		if !filepath.IsLocal(filepath.FromSlash(r.file)) {
			errs = append(errs, &CellError{t.Line, "file", "This is no path below the folder."})
		}
		rows = append(rows, r)
	}
	return rows, errors.Join(errs...)
}

// folderRows lists the files below a folder, sorted, without hidden ones; the folders they lie in become tags.
func folderRows(root *os.Root, offers []licensing.Offer) ([]importRow, error) {
	var rows []importRow
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".") && name != "."
		switch {
		case err != nil:
			return err
		case d.IsDir() && hidden:
			return fs.SkipDir
		case !d.Type().IsRegular() || hidden:
			return nil
		}
		tags := ""
		if dir := path.Dir(name); dir != "." {
			tags = strings.ReplaceAll(dir, "/", ",")
		}
		rows = append(rows, importRow{file: name, tags: tags, offers: offers})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	return rows, nil
}

// offers reads "standard+broadcast-1m" with "3+9". A license that this site does not know is refused, never replaced.
func (im *Importer) offers(models []licensing.Model, codes, prices, category string) ([]licensing.Offer, error) {
	if strings.TrimSpace(codes) == "" {
		return nil, nil
	}
	var typed []string
	if strings.TrimSpace(prices) != "" {
		typed = strings.Split(prices, "+")
	}
	var out []licensing.Offer
	for i, code := range strings.Split(codes, "+") {
		code = strings.ToLower(strings.TrimSpace(code))
		at := slices.IndexFunc(models, func(m licensing.Model) bool { return m.Code == code })
		if at < 0 {
			return nil, fmt.Errorf("this site does not know the license %q", clip(code, 40))
		}
		o := licensing.Offer{Code: code}
		if m := models[at]; !m.IsFree() {
			o.Price = im.Store.defaultPrice(m, category)
			if i < len(typed) && strings.TrimSpace(typed[i]) != "" {
				price, err := money.Parse(typed[i], im.Store.Licensing.Currency)
				if err != nil {
					return nil, fmt.Errorf("%q is no price in %s", clip(typed[i], 20), im.Store.Licensing.Currency)
				}
				o.Price = price
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// take brings one file in, or finds it among the account's recordings. The error is a fault of the machine.
func (im *Importer) take(ctx context.Context, root *os.Root, r *importRow) error {
	r.done = Imported{File: r.file}
	err := im.takeFile(ctx, root, r)
	if err == nil {
		return nil
	}
	var p *web.Public
	switch {
	case errors.As(err, &p) && p.Status == http.StatusUnsupportedMediaType && !r.listed:
		r.done.State, r.done.Error = ImportSkipped, p.Text
	case errors.As(err, &p) && p.Status != http.StatusInsufficientStorage:
		r.done.State, r.done.Error = ImportFailed, p.Text
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		r.done.State, r.done.Error = ImportFailed, err.Error()
	default:
		return fmt.Errorf("import %s: %w", r.file, err)
	}
	im.tell(r)
	return nil
}

func (im *Importer) takeFile(ctx context.Context, root *os.Root, r *importRow) error {
	f, err := root.Open(filepath.FromSlash(r.file))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	r.done.SHA256 = hex.EncodeToString(h.Sum(nil))
	rec, found, err := im.existing(ctx, r.done.SHA256)
	if err != nil {
		return err
	}
	if !found {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		taken, err := im.Store.Take(ctx, im.As.ID, path.Base(r.file), f, Extra{Credit: r.credit, SourceURL: r.source, Describe: r.describe})
		if err != nil {
			return err
		}
		rec, r.done.New, r.done.SHA256 = taken.Recording, !taken.Repeated, taken.SHA256
	}
	r.done.ID, r.done.State = rec.ID, string(rec.State)
	return im.complete(ctx, r, rec)
}

func (im *Importer) existing(ctx context.Context, sha string) (recordings.Recording, bool, error) {
	list, err := im.Store.Recordings.SameBytes(ctx, im.Store.DB, sha)
	for _, rec := range list {
		if rec.OwnerID == im.As.ID {
			return rec, true, nil
		}
	}
	return recordings.Recording{}, false, err
}

// describe lays the table's words over what the file says.
func (r *importRow) describe(d recordings.Description) recordings.Description {
	for _, f := range []struct {
		to   *string
		from string
	}{{&d.Title, r.title}, {&d.Description, r.description}, {&d.Category, r.category}} {
		if strings.TrimSpace(f.from) != "" {
			*f.to = f.from
		}
	}
	if place, ok := recordings.ParsePlace(r.place); ok && place != nil {
		d.Place = place
	}
	switch {
	case r.listed && r.tags != "":
		d.Tags = recordings.SplitTags(r.tags)
	default:
		d.Tags = recordings.CleanTags(append(d.Tags, recordings.SplitTags(r.tags)...))
	}
	return d
}

// complete brings a draft to what the table says about it: cells that are not empty win, for a table is mended and imported
// again until it is right. Without a table only pack, rights and offers are added, and what a person has set meanwhile stays.
func (im *Importer) complete(ctx context.Context, r *importRow, rec recordings.Recording) error {
	if rec.State != recordings.Draft {
		return nil
	}
	return im.Store.DB.Tx(ctx, func(tx *db.Tx) error {
		rec, err := im.Store.Recordings.ByID(ctx, tx, rec.ID)
		if err != nil {
			return err
		}
		d, err := im.Store.describing(ctx, tx, rec)
		if err != nil {
			return err
		}
		if r.listed {
			d = r.describe(d)
		}
		if d.Pack == "" || r.listed && r.pack != "" {
			d.Pack = r.pack
		}
		d.Rights = d.Rights || im.Publish
		has, err := im.Store.Licensing.HasOffer(ctx, tx, rec.ID)
		if err != nil {
			return err
		}
		set := len(r.offers) > 0 && (r.listed || !has)
		return im.Store.save(ctx, tx, im.As, rec.ID, Edit{Description: d, Offers: r.offers, SetOffers: set, Imports: true})
	})
}

// poll is how often the analysis is asked after.
const poll = 200 * time.Millisecond

// finish waits for the analysis of drafts and publishes them when that is asked for.
func (im *Importer) finish(ctx context.Context, rows []importRow) error {
	waiting := map[int64][]*importRow{}
	for i := range rows {
		r := &rows[i]
		switch recordings.State(r.done.State) {
		case recordings.Draft, recordings.Submitted:
			waiting[r.done.ID] = append(waiting[r.done.ID], r)
		case ImportSkipped, ImportFailed:
		default:
			im.tell(r)
		}
	}
	for len(waiting) > 0 {
		done, err := im.round(ctx, waiting)
		switch {
		case err != nil:
			return err
		case done > 0:
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("import: %d files are taken but not analyzed yet; run it again: %w", len(waiting), ctx.Err())
		case <-time.After(poll):
		}
	}
	return nil
}

// round settles those of waiting that are analyzed, and takes them out of it.
func (im *Importer) round(ctx context.Context, waiting map[int64][]*importRow) (done int, err error) {
	ids := slices.Sorted(maps.Keys(waiting))
	for chunk := range slices.Chunk(ids, 500) {
		recs, err := im.Store.Recordings.ByIDs(ctx, chunk)
		if err != nil {
			return done, err
		}
		for _, rec := range recs {
			if rec.Processing == recordings.Queued || rec.Processing == recordings.Analyzing {
				continue
			}
			list := waiting[rec.ID]
			delete(waiting, rec.ID)
			done++
			if err := im.settle(ctx, rec, list); err != nil {
				return done, err
			}
		}
		if len(recs) < len(chunk) {
			return done, errors.New("import: a draft was deleted meanwhile; run it again")
		}
	}
	return done, nil
}

// settle publishes an analyzed recording, or says why it is not.
func (im *Importer) settle(ctx context.Context, rec recordings.Recording, list []*importRow) error {
	text := ""
	switch {
	case rec.Processing == recordings.Failed:
		text = rec.ProcessingNote
	case im.Publish:
		err := im.publish(ctx, rec)
		var p *web.Public
		if errors.As(err, &p) {
			text = p.Text
		} else if err != nil {
			return err
		}
	}
	rec, err := im.Store.Recordings.ByID(ctx, im.Store.DB, rec.ID)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.done.State, r.done.Error = string(rec.State), text; text != "" {
			r.done.State = ImportFailed
		}
		im.tell(r)
	}
	return nil
}

func (im *Importer) publish(ctx context.Context, rec recordings.Recording) error {
	if rec.State == recordings.Draft {
		if err := im.Store.DB.Tx(ctx, func(tx *db.Tx) error { return im.Store.Recordings.Submit(ctx, tx, rec.ID) }); err != nil {
			return err
		}
	}
	rec, err := im.Store.Recordings.ByID(ctx, im.Store.DB, rec.ID)
	if err != nil || rec.State != recordings.Submitted { // review is switched off: it is published already
		return err
	}
	return im.Approve(ctx, rec.ID)
}
