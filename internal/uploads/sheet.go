package uploads

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/audio/taxonomy"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// sheet is what the describe sheet shows: recordings that the actor may edit, in the order of the address.
type sheet struct {
	ids    []int64
	rows   []sheetRow
	models []licensing.Model
}

// sheetRow is one recording with what belongs to it, and what was wrong with its cells.
type sheetRow struct {
	rec   recordings.Recording
	desc  recordings.Description
	had   []licensing.Offered
	errs  map[string]string
	cells map[string]string // as typed, where a cell was not saved
	both  []string          // the columns among them that another page changed meanwhile
	seen  string            // marks of what the row shows as kept
}

// sheetIDs reads ids=1,2,3 and ids=1&ids=2.
func sheetIDs(list []string) []int64 {
	var out []int64
	for _, part := range strings.Split(strings.Join(list, ","), ",") {
		id, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
		if err == nil && id > 0 && !slices.Contains(out, id) && len(out) < maxDrafts {
			out = append(out, id)
		}
	}
	return out
}

// sheet loads recordings; without ids all drafts of the actor. What is gone is left out, what may not be edited is refused.
func (s *Store) sheet(r *http.Request, list []string) (sheet, error) {
	ctx, a := r.Context(), access.From(r.Context())
	if err := web.Allow(r, access.Object{Owner: a.ID}); err != nil {
		return sheet{}, err
	}
	var recs []recordings.Recording
	var err error
	if ids := sheetIDs(list); len(ids) > 0 {
		recs, err = s.Recordings.ByIDs(ctx, ids)
	} else {
		recs, err = s.Recordings.List(ctx, recordings.Filter{OwnerID: a.ID, State: recordings.Draft, Limit: maxDrafts})
		slices.Reverse(recs) // as they were uploaded
	}
	if err != nil {
		return sheet{}, err
	}
	for _, rec := range recs {
		if err := web.Allow(r, rec.Object(false)); err != nil {
			return sheet{}, err
		}
	}
	return s.fillSheet(ctx, recs)
}

func (s *Store) fillSheet(ctx context.Context, recs []recordings.Recording) (sheet, error) {
	var sh sheet
	var err error
	if sh.models, err = s.Licensing.Models(ctx, s.DB); err != nil {
		return sh, err
	}
	packs := map[int64]string{}
	for _, rec := range recs {
		sh.ids = append(sh.ids, rec.ID)
		if rec.PackID != 0 {
			packs[rec.PackID] = ""
		}
	}
	tags, err := s.Recordings.TagsOf(ctx, sh.ids)
	if err != nil {
		return sh, err
	}
	for id := range packs {
		p, err := s.Recordings.PackByID(ctx, s.DB, id)
		if err != nil {
			return sh, err
		}
		packs[id] = p.Name
	}
	offers, err := s.Licensing.OffersOf(ctx, s.DB, sh.ids)
	if err != nil {
		return sh, err
	}
	for _, rec := range recs {
		sh.rows = append(sh.rows, sheetRow{rec: rec, had: offers[rec.ID], errs: map[string]string{}, cells: map[string]string{}, desc: recordings.Description{
			Title: rec.Title, Description: rec.Description, Tags: tags[rec.ID], Category: rec.Category, Pack: packs[rec.PackID],
			AITraining: rec.AITraining == "yes", Rights: rec.RightsAt != 0, Place: rec.Place(),
		}})
		row := &sh.rows[len(sh.rows)-1]
		row.seen = row.marks()
	}
	return sh, nil
}

// marks stand for what is kept of the row.
func (row *sheetRow) marks() string { return said{row.desc, offersOf(row.had)}.marks() }

func (sh *sheet) row(id int64) *sheetRow {
	for i := range sh.rows {
		if sh.rows[i].rec.ID == id {
			return &sh.rows[i]
		}
	}
	return nil
}

// locked tells whether the row cannot be edited now.
func (row *sheetRow) locked() bool { return row.rec.State == recordings.Submitted }

// moving tells whether the row's file is on its way through the analysis: its cells wait, and the page renews the row by itself.
func (row *sheetRow) moving() bool {
	return row.rec.Processing == recordings.Queued || row.rec.Processing == recordings.Analyzing
}

// license is the row's choice as the license cell writes it: codes joined by +.
func (row *sheetRow) license() string {
	codes := make([]string, len(row.had))
	for i, o := range row.had {
		codes[i] = o.Model.Code
	}
	return strings.Join(codes, "+")
}

// price is the first paid offer's price as typed, or nothing.
func (row *sheetRow) price() string {
	for _, o := range row.had {
		if !o.Model.IsFree() {
			return o.Price.Decimal()
		}
	}
	return ""
}

// missing lists what keeps the row from being submitted, without the declaration of rights, which stands below the sheet,
// and without the analysis, which comes by itself.
func (row *sheetRow) missing() []recordings.Problem {
	rec := row.rec
	rec.Title, rec.Category = row.desc.Title, row.desc.Category
	rec.RightsAt = 1
	if rec.Processing != recordings.Failed {
		rec.Processing = recordings.Ready
	}
	list := recordings.Problems(rec, row.desc.Tags, len(row.had) > 0)
	if i := slices.IndexFunc(row.had, licensing.Offered.BelowFloor); i >= 0 {
		list = append(list, recordings.Problem{Field: "price", Text: row.had[i].BelowFloorText()})
	}
	return list
}

func (row *sheetRow) open() bool {
	return row.rec.State == recordings.Draft || row.rec.State == recordings.Returned
}

// ready tells whether the row can be submitted once the rights are declared.
func (row *sheetRow) ready() bool {
	return row.open() && row.rec.Processing == recordings.Ready && len(row.missing()) == 0 && len(row.errs) == 0
}

// check is the row's state in a few words.
func (row *sheetRow) check() ui.Tag {
	_, text, _ := progress(row.rec)
	switch {
	case len(row.errs) > 0:
		return ui.Tag{Text: cellWords(keys(row.errs)), Tone: ui.ToneBad}
	case row.rec.State == recordings.Published && slices.ContainsFunc(row.had, licensing.Offered.BelowFloor):
		return ui.Tag{Text: cellWords([]string{"price"}), Tone: ui.ToneBad}
	case row.rec.State == recordings.Published:
		return ui.Tag{Text: text, Tone: ui.ToneGood}
	case row.rec.Processing == recordings.Failed:
		return ui.Tag{Text: "Failed: " + clip(row.rec.ProcessingNote, 80), Tone: ui.ToneBad}
	case !row.open() || row.moving():
		return ui.Tag{Text: text}
	}
	if list := row.missing(); len(list) > 0 {
		var columns []string
		for _, p := range list {
			columns = append(columns, sheetColumn(p.Field))
		}
		if len(columns) == 1 && columns[0] == "tags" {
			return ui.Tag{Text: fmt.Sprintf("%d of %d tags", len(row.desc.Tags), recordings.MinTags), Tone: ui.ToneBad}
		}
		return ui.Tag{Text: cellWords(columns), Tone: ui.ToneBad}
	}
	return ui.Tag{Text: "Ready", Tone: ui.ToneGood}
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// sheetColumn is the sheet's column for a field that recordings.Problems names.
func sheetColumn(field string) string {
	if field == "offers" || field == "offer" {
		return "license"
	}
	return field
}

// cellWords names columns as the sheet's head does: "Title, tags".
func cellWords(columns []string) string {
	words := map[string]string{"category": "kind", "ai": "AI training", "place": "recorded at"}
	var out []string
	for _, c := range columns {
		if w := words[c]; w != "" {
			c = w
		}
		out = append(out, c)
	}
	text := strings.Join(out, ", ")
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// edit reads cells (by column; those that are not there stay as they are) into the edit they ask for. What is wrong goes to
// row.errs, and that cell keeps what it had.
func (s *Store) edit(sh *sheet, row *sheetRow, cells map[string]string, rights bool) Edit {
	d := row.desc
	row.errs = map[string]string{}
	take := func(column string, set func(v string)) {
		if v, ok := cells[column]; ok {
			set(v)
		}
	}
	line := func(column string, to *string, most int) {
		take(column, func(v string) {
			if why := recordings.LengthRefused(v, most); why != "" {
				row.errs[column] = why
				return
			}
			*to = v
		})
	}
	line("title", &d.Title, recordings.MaxTitle)
	line("description", &d.Description, recordings.MaxDescription)
	line("pack", &d.Pack, recordings.MaxPack)
	take("tags", func(v string) {
		if text := recordings.TagsRefused(clip(v, 4000)); text != "" {
			row.errs["tags"] = text
			return
		}
		d.Tags = recordings.SplitTags(v)
	})
	take("category", func(v string) {
		v = strings.TrimSpace(v)
		if _, ok := taxonomy.Find(v); !ok && v != "" {
			row.errs["category"] = "This is no kind of this site."
			return
		}
		d.Category = v
	})
	take("place", func(v string) {
		place, ok := recordings.ParsePlace(v)
		if !ok {
			row.errs["place"] = recordings.PlaceRefused
			return
		}
		d.Place = place
	})
	take("ai", func(v string) {
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "on", "yes":
			d.AITraining = true
		case "", "no":
			d.AITraining = false
		default:
			row.errs["ai"] = "Write yes or no."
		}
	})
	d.Rights = d.Rights || rights
	d = d.Clean()
	if row.rec.PublishedAt != 0 {
		for _, p := range recordings.Problems(recordings.Recording{Title: d.Title, Category: d.Category, RightsAt: 1, Processing: recordings.Ready}, d.Tags, true) {
			row.errs[p.Field] = "It is published and cannot lose this. " + p.Text
		}
		if len(row.errs) > 0 {
			d = row.desc
		}
	}
	e := Edit{Description: d}
	e.Offers, e.SetOffers = s.cellOffers(sh, row, cells, d.Category)
	return e
}

// cellOffers reads the license and price cells; set is false when they change nothing or are wrong.
func (s *Store) cellOffers(sh *sheet, row *sheetRow, cells map[string]string, category string) (offers []licensing.Offer, set bool) {
	license, hasLicense := cells["license"]
	price, hasPrice := cells["price"]
	if !hasLicense {
		license = row.license()
	}
	if license = strings.TrimSpace(license); license == "" {
		if len(row.had) > 0 && row.rec.PublishedAt != 0 {
			row.errs["license"] = "A published recording needs at least one license."
			return nil, false
		}
		return nil, len(row.had) > 0
	}
	priced := false
	for _, code := range strings.Split(license, "+") {
		code = strings.ToLower(strings.TrimSpace(code))
		i := slices.IndexFunc(sh.models, func(m licensing.Model) bool { return m.Code == code })
		if i < 0 {
			row.errs["license"] = fmt.Sprintf("This site does not offer %q.", clip(code, 40))
			return nil, false
		}
		m := sh.models[i]
		o := licensing.Offer{Code: code}
		if !m.IsFree() {
			o.Price = s.defaultPrice(m, category)
			for _, had := range row.had {
				if had.Model.Code == code {
					o.Price = had.Price
				}
			}
			if !priced && hasPrice && strings.TrimSpace(price) != "" {
				typed, err := money.Parse(price, s.Licensing.Currency)
				switch {
				case err != nil:
					row.errs["price"] = "Write a price, as 9 or 9.50."
				case typed.Minor < m.FloorMinor:
					row.errs["price"] = fmt.Sprintf("%s costs at least %s here.", m.Name, money.Of(m.FloorMinor, s.Licensing.Currency))
				}
				if row.errs["price"] != "" {
					return nil, false
				}
				o.Price = typed
			}
			priced = true
		}
		offers = append(offers, o)
	}
	return offers, !slices.EqualFunc(offers, row.had, func(o licensing.Offer, had licensing.Offered) bool {
		return o.Code == had.Model.Code && o.Price.Minor == had.Price.Minor
	})
}

// licenseOptions lists single licenses, all paid ones together, and every combination that a row has.
func (sh *sheet) licenseOptions() []ui.Option {
	out := []ui.Option{{Value: "", Label: "Choose"}}
	var paid []string
	for _, m := range sh.models {
		if !m.Active || m.ImportsOnly {
			continue
		}
		group := "Free"
		if !m.IsFree() {
			group = "Paid"
			paid = append(paid, m.Code)
		}
		out = append(out, ui.Option{Value: m.Code, Label: m.Name, Group: group})
	}
	if len(paid) > 1 {
		out = append(out, ui.Option{Value: strings.Join(paid, "+"), Label: "All paid licenses", Group: "Paid"})
	}
	for i := range sh.rows {
		value := sh.rows[i].license()
		if slices.ContainsFunc(out, func(o ui.Option) bool { return o.Value == value }) {
			continue
		}
		var names []string
		for _, o := range sh.rows[i].had {
			names = append(names, o.Model.Name)
		}
		out = append(out, ui.Option{Value: value, Label: strings.Join(names, ", "), Group: "As it is"})
	}
	return out
}
