package collections

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// MaxWhy is the longest reason of a report or a decision, in characters.
const MaxWhy = 500

// listed is how many reported and how many hidden collections moderators see at once.
const listed = 100

// Report is what a person says is wrong with a collection.
type Report struct {
	CollectionID int64  `db:"collection_id"`
	Why          string `db:"why"` // plain text
	MadeAt       int64  `db:"made_at"`
}

// cleanWhy bounds a reason and refuses none.
func cleanWhy(why, ask string) (string, error) {
	if why = recordings.CleanText(why, MaxWhy); why == "" {
		return "", web.Refuse(http.StatusUnprocessableEntity, "%s", ask)
	}
	return why, nil
}

// Report tells the moderators what is wrong with a collection. A second report of the same person takes the place of the first.
func (s *Store) Report(ctx context.Context, account, id int64, why string) error {
	why, err := cleanWhy(why, "Write what is wrong: a moderator reads it.")
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, s.DB, `INSERT INTO collection_report (collection_id, account_id, why, made_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (collection_id, account_id) DO UPDATE SET why = excluded.why, made_at = excluded.made_at, closed_at = 0, closed_by = 0`, id, account, why, s.Now().UnixMicro())
	if err != nil {
		return fmt.Errorf("report collection %d: %w", id, err)
	}
	return nil
}

// Decide closes the open reports on a collection. With a reason the collection is hidden from all but its owner, who is written to; without
// one it stays, or is shown again.
func (s *Store) Decide(ctx context.Context, by access.Actor, id int64, hide bool, why string) error {
	if hide {
		var err error
		if why, err = cleanWhy(why, "Write why: the owner reads the reason."); err != nil {
			return err
		}
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		c, err := s.ByID(ctx, tx, id)
		if err != nil {
			return err
		}
		now, at, who := s.Now().UnixMicro(), int64(0), int64(0)
		if hide {
			at, who = now, by.ID
		} else {
			why = ""
		}
		if _, err := db.Exec(ctx, tx, `UPDATE collection SET hidden_at = $1, hidden_by = $2, hidden_why = $3 WHERE id = $4`, at, who, why, id); err != nil {
			return err
		}
		if _, err := db.Exec(ctx, tx, `UPDATE collection_report SET closed_at = $1, closed_by = $2 WHERE collection_id = $3 AND closed_at = 0`, now, by.ID, id); err != nil {
			return err
		}
		if !hide || c.HiddenAt != 0 {
			return nil
		}
		return s.Tell(ctx, tx, c, why)
	})
	if err != nil {
		return fmt.Errorf("decide on collection %d: %w", id, err)
	}
	return nil
}

// Waiting counts the collections with open reports.
func (s *Store) Waiting(ctx context.Context) (int, error) {
	n, err := db.Get[int](ctx, s.DB, `SELECT count(DISTINCT p.collection_id) FROM collection_report p JOIN collection c ON c.id = p.collection_id JOIN account_public a ON a.id = c.account_id
		WHERE p.closed_at = 0 AND c.deleted_at = 0`)
	if err != nil {
		return 0, fmt.Errorf("count reported collections: %w", err)
	}
	return n, nil
}

// Reported lists the collections with open reports, those that wait longest first, and then the hidden ones.
func (s *Store) Reported(ctx context.Context) (open, hidden []Collection, why map[int64][]Report, err error) {
	open, err = db.Query[Collection](ctx, s.DB, collectionQuery+`JOIN (SELECT collection_id, min(made_at) AS since FROM collection_report WHERE closed_at = 0 GROUP BY collection_id) p ON p.collection_id = c.id
		WHERE c.deleted_at = 0 ORDER BY p.since, c.id LIMIT $1`, listed)
	if err == nil {
		hidden, err = db.Query[Collection](ctx, s.DB, collectionQuery+`WHERE c.hidden_at <> 0 AND c.deleted_at = 0 ORDER BY c.hidden_at DESC, c.id LIMIT $1`, listed)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reported collections: %w", err)
	}
	ids := make([]int64, len(open))
	for i, c := range open {
		ids[i] = c.ID
	}
	in, args := db.In(1, ids)
	all, err := db.Query[Report](ctx, s.DB, `SELECT collection_id, why, made_at FROM collection_report WHERE closed_at = 0 AND collection_id IN (`+in+`) ORDER BY made_at`, args...)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reports on collections: %w", err)
	}
	why = map[int64][]Report{}
	for _, r := range all {
		why[r.CollectionID] = append(why[r.CollectionID], r)
	}
	return open, hidden, why, nil
}

func (s *Store) report(w http.ResponseWriter, r *http.Request) error {
	c, key, err := s.posted(w, r)
	if err != nil {
		return err
	}
	me := access.From(r.Context())
	if me.ID == c.AccountID {
		return web.Refuse(http.StatusUnprocessableEntity, "This is your own collection: change or delete it.")
	}
	if err := s.Report(r.Context(), me.ID, c.ID, r.PostForm.Get("why")); err != nil {
		errs, err := forForm(err, "why")
		if err != nil {
			return err
		}
		return s.show(w, r, c, key, ui.CollectionPage{Errors: errs})
	}
	back := c.Path()
	if key != "" {
		back += "?key=" + url.QueryEscape(key)
	}
	web.Notify(w, s.Site.Secure, "Thank you. A moderator will look at it.")
	return web.See(w, r, back)
}

// reported is the moderators' page.
func (s *Store) reported(w http.ResponseWriter, r *http.Request) error {
	if err := web.Allow(r, access.Object{}); err != nil {
		return err
	}
	return s.showReported(w, r, 0, nil)
}

// showReported lists what waits; errs are what was wrong with the form of one collection.
func (s *Store) showReported(w http.ResponseWriter, r *http.Request, id int64, errs []ui.FormError) error {
	ctx, me := r.Context(), access.From(r.Context())
	open, hidden, why, err := s.Reported(ctx)
	if err != nil {
		return err
	}
	var owners []int64
	for _, c := range append(open[:len(open):len(open)], hidden...) {
		owners = append(owners, c.AccountID)
	}
	people, err := s.People(ctx, owners)
	if err != nil {
		return err
	}
	cards := func(list []Collection) (out []ui.ReportedCollection) {
		for _, c := range list {
			card := ui.ReportedCollection{ID: c.ID, Name: c.Name, Description: c.Description, By: people[c.AccountID], Mine: c.AccountID == me.ID, Hidden: c.HiddenWhy, Sounds: int(c.Shown)}
			if c.Shared != Private && c.HiddenAt == 0 {
				card.URL = c.LinkPath()
			}
			for _, one := range why[c.ID] {
				card.Reports = append(card.Reports, ui.LogLine{At: one.MadeAt, Text: one.Why})
			}
			if c.ID == id {
				card.Errors = errs
			}
			out = append(out, card)
		}
		return out
	}
	v := web.View{Title: "Reported collections", Edit: func(f *ui.Frame) { f.NoIndex = true }}
	if len(errs) > 0 {
		v.Status = http.StatusUnprocessableEntity
	}
	return s.Site.Page(w, r, v, ui.ReportedCollections(cards(open), cards(hidden)))
}

// decide hides a reported collection, leaves it, or shows it again.
func (s *Store) decide(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	c, err := s.ByID(r.Context(), s.DB, id)
	if err != nil {
		return err
	}
	if err := web.Allow(r, access.Object{Owner: c.AccountID}); err != nil {
		return err
	}
	if err := web.ParseForm(w, r, formLimit); err != nil {
		return err
	}
	told := ""
	switch r.PostForm.Get("act") {
	case "hide":
		told = c.Name + " is hidden. Its owner reads why."
		why := fmt.Sprintf("why-%d", id) // the page has one such field for each collection
		if err = s.Decide(r.Context(), access.From(r.Context()), id, true, r.PostForm.Get(why)); err != nil {
			errs, err := forForm(err, why)
			if err != nil {
				return err
			}
			return s.showReported(w, r, id, errs)
		}
	case "leave":
		told = c.Name + " is shown as its owner shares it."
		err = s.Decide(r.Context(), access.From(r.Context()), id, false, "")
	default:
		err = web.Refuse(http.StatusUnprocessableEntity, "Hide the collection or leave it.")
	}
	if err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, told)
	return web.See(w, r, "/review/collections")
}
