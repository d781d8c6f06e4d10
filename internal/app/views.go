package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/collections"
	"audiomicro/internal/db"
	"audiomicro/internal/listening"
	"audiomicro/internal/moderation"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// licenseBox fills the license card of a recording's page.
func (a *App) licenseBox(ctx context.Context, r recordings.Recording) (ui.LicenseBox, string, error) {
	cart, err := a.inCart(ctx)
	if err != nil {
		return ui.LicenseBox{}, "", err
	}
	return a.Licensing.Box(ctx, r.ID, cart[r.ID])
}

// personCard describes a contributor beside a recording: name, picture or average spectrum, how many recordings, since when.
func (a *App) personCard(ctx context.Context, account int64) (ui.PersonCard, error) {
	found, err := a.People.ByIDs(ctx, []int64{account})
	if err != nil {
		return ui.PersonCard{}, err
	}
	who, ok := found[account]
	if !ok {
		return ui.PersonCard{Name: formerMember}, nil
	}
	card := ui.PersonCard{Avatar: who.Avatar(), Name: who.Shown(), URL: who.URL()}
	if card.Avatar.Tones, err = a.tonesOf(ctx, account); err != nil {
		return ui.PersonCard{}, err
	}
	n, err := db.Get[int64](ctx, a.DB, `SELECT count(*) FROM recording WHERE owner_id = $1 AND state = 'published'`, account)
	card.Text = fmt.Sprintf("%s, since %d", ui.Plural(int(n), "sound", "sounds"), time.UnixMicro(who.Since).UTC().Year())
	return card, err
}

// bylines are the names under titles: what a person wants to be called, with the way to the person's page.
func (a *App) bylines(ctx context.Context, accounts []int64) (map[int64]ui.Link, error) {
	accounts = slices.Clone(accounts)
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	found, err := a.People.ByIDs(ctx, accounts)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]ui.Link, len(accounts))
	for _, id := range accounts {
		out[id] = ui.Link{Text: formerMember}
		if who, ok := found[id]; ok {
			out[id] = ui.Link{Text: who.Shown(), URL: who.URL()}
		}
	}
	return out, nil
}

// formerMember stands for who was suspended or is gone: what is published stays, the name does not.
const formerMember = "A former member"

// tonesOf is the average spectrum of what a contributor published, from the newest 200.
func (a *App) tonesOf(ctx context.Context, account int64) ([8]uint8, error) {
	list, err := db.Query[string](ctx, a.DB, `SELECT tones FROM recording WHERE owner_id = $1 AND state = 'published' ORDER BY published_at DESC LIMIT 200`, account)
	return averageTones(list), err
}

// averageTones adds up the eight tone bands of several recordings and scales the highest to 255.
func averageTones(list []string) (out [8]uint8) {
	var sum [8]int
	for _, text := range list {
		parts := strings.Split(text, ",")
		if len(parts) != len(sum) {
			continue
		}
		for i, p := range parts {
			v, err := strconv.Atoi(p)
			if err == nil {
				sum[i] += v
			}
		}
	}
	top := 0
	for _, s := range sum {
		top = max(top, s)
	}
	for i, s := range sum {
		if top > 0 {
			out[i] = uint8(s * 255 / top)
		}
	}
	return out
}

// reviewNotes lists what happened to a recording in reviews, and what its description said before it was edited.
func (a *App) reviewNotes(ctx context.Context, r recordings.Recording) ([]ui.LogLine, error) {
	list, err := a.Moderation.History(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	var out []ui.LogLine
	for _, v := range list {
		switch v.State {
		case moderation.Approved:
			out = append(out, ui.LogLine{At: v.DecidedAt, Text: "Approved."})
		case moderation.Returned:
			out = append(out, ui.LogLine{At: v.DecidedAt, Text: "Returned: " + v.Note})
		}
		out = append(out, ui.LogLine{At: v.SubmittedAt, Text: "Submitted for review."})
	}
	edits, err := a.Uploads.EditLog(ctx, r)
	if err != nil {
		return nil, err
	}
	out = append(out, edits...)
	slices.SortStableFunc(out, func(a, b ui.LogLine) int { return cmp.Compare(b.At, a.At) })
	return out, nil
}

// collectionsOf leads to the collections that a person shows to everybody.
func (a *App) collectionsOf(ctx context.Context, account int64) ([]ui.Link, error) {
	list, err := a.Collections.PublicOf(ctx, account)
	if err != nil {
		return nil, err
	}
	out := make([]ui.Link, len(list))
	for i, c := range list {
		out[i] = ui.Link{Text: c.Name, URL: c.Path(), Count: ui.Count(int(c.Shown))}
	}
	return out, nil
}

// listsOf leads to the collections of an account that hold a recording; with recording 0 to all.
func (a *App) listsOf(ctx context.Context, account, recording int64) ([]ui.Link, error) {
	list, err := a.Collections.Of(ctx, account)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	holding := map[int64]bool{}
	if recording != 0 {
		if holding, err = a.Collections.Holding(ctx, account, recording); err != nil {
			return nil, err
		}
	}
	var out []ui.Link
	for _, c := range list {
		if recording == 0 || holding[c.ID] {
			out = append(out, ui.Link{Text: c.Name, URL: c.Path(), Count: ui.Count(int(c.Shown))})
		}
	}
	return out, nil
}

// favoritesOf counts what stands at an account's /favorites.
func (a *App) favoritesOf(ctx context.Context, account int64) (int, error) {
	_, n, err := a.Reactions.Favorites(ctx, account, 0, 0)
	return n, err
}

// collectionFeed writes a collection as a feed.
func (a *App) collectionFeed(w http.ResponseWriter, r *http.Request, head collections.FeedHead, ids []int64) error {
	return a.Search.WriteFeed(w, r, search.FeedHead(head), ids)
}

// bundle sends a collection's recordings as one archive.
func (a *App) bundle(w http.ResponseWriter, r *http.Request, name string, ids []int64) error {
	return a.Orders.Bundle(w, r, listening.Slug(name), ids)
}

// fillCart puts what is for sale of rows into the cart, each under the license that its row names. What cannot be had any more, or does
// not fit into the cart, is passed over: the number says so.
func (a *App) fillCart(w http.ResponseWriter, r *http.Request, rows []ui.Sound) (n int, err error) {
	who, err := a.Orders.Begin(w, r)
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		if row.Action != ui.ActionCart {
			continue
		}
		var p *web.Public
		if err := a.Orders.Add(r.Context(), who, row.ID, row.Model); err == nil {
			n++
		} else if !errors.As(err, &p) && !errors.Is(err, db.ErrNotFound) {
			return n, err
		}
	}
	return n, nil
}
