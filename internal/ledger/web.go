package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Routes lists this domain's routes.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /earnings", Action: access.UseAccount, Handle: s.earnings},
		{Pattern: "GET /earnings.csv", Action: access.UseAccount, Handle: s.earningsCSV},
	}
}

// period is a range of time that the earnings page shows; until 0 has no end.
type period struct {
	name        string // query value: "12m", "all", "2026"
	label       string
	from, until int64 // unix microseconds
}

// periods are the ranges to choose from at now: twelve months, all, and each year since first (0: this year only).
func periods(now time.Time, first int64) []period {
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	out := []period{{name: "12m", label: "Last 12 months", from: month.AddDate(0, -11, 0).UnixMicro()}, {name: "all", label: "All time"}}
	since := now.Year()
	if first > 0 {
		since = time.UnixMicro(first).UTC().Year()
	}
	for y := now.Year(); y >= since && y > now.Year()-50; y-- {
		out = append(out, period{name: strconv.Itoa(y), label: strconv.Itoa(y), from: time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), until: time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()})
	}
	return out
}

func choose(all []period, name string) period {
	for _, p := range all {
		if p.name == name {
			return p
		}
	}
	return all[0]
}

func within(all []Posting, p period) []Posting {
	var out []Posting
	for _, x := range all {
		if x.At >= p.from && (p.until == 0 || x.At < p.until) {
			out = append(out, x)
		}
	}
	return out
}

// pageSize is how many lines of the book one page shows.
const pageSize = 50

func (s *Store) earnings(w http.ResponseWriter, r *http.Request) error {
	me := access.From(r.Context())
	all, err := s.Statement(r.Context(), me.ID, 0, 0)
	if err != nil {
		return err
	}
	owed, err := s.Owed(r.Context(), s.DB, me.ID)
	if err != nil {
		return err
	}
	now := s.Now().UTC()
	first := int64(0)
	if len(all) > 0 {
		first = all[len(all)-1].At
	}
	choices := periods(now, first)
	chosen := choose(choices, r.URL.Query().Get("range"))
	shown := within(all, chosen)
	p := ui.EarningsPage{CSVURL: "/earnings.csv?range=" + url.QueryEscape(chosen.name)}
	for _, c := range choices {
		p.Ranges = append(p.Ranges, ui.Option{Value: c.name, Label: c.label, Selected: c.name == chosen.name})
	}
	if len(all) == 0 {
		p.CSVURL, p.Ranges = "", nil
		p.Empty = &ui.Empty{Title: "Nothing earned yet", Text: "When somebody licenses a recording of yours, your share is booked here the moment it is paid."}
	}
	p.Stats = s.stats(all, shown, chosen, owed, now)
	p.Months, p.Ticks = s.months(shown, chosen, now)
	if p.Sold, err = s.sold(r.Context(), shown); err != nil {
		return err
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	p.Journal, p.Pager = s.journal(shown, max(page, 1), chosen.name)
	return s.Site.Page(w, r, web.View{Title: "Earnings"}, ui.Earnings(p))
}

func (s *Store) money(minor int64) string { return money.Of(minor, s.Currency).Exact() }

func (s *Store) stats(all, shown []Posting, chosen period, owed money.Amount, now time.Time) []ui.Stat {
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	var thisMonth, total, licenses, refunds int64
	for _, x := range all {
		if x.At >= month {
			thisMonth += x.Amount
		}
	}
	for _, x := range shown {
		total += x.Amount
		switch x.Kind {
		case Sale:
			licenses++
		case Refund:
			refunds++
		}
	}
	text := "No refunds."
	if refunds > 0 {
		text = ui.Plural(int(refunds), "refund", "refunds") + " taken off."
	}
	return []ui.Stat{
		{Label: "Owed to you", Figure: owed.Exact(), Text: "Your balance in the book now."},
		{Label: "This month", Figure: s.money(thisMonth), Text: "Since " + ui.Date(month) + ", UTC."},
		{Label: chosen.label, Figure: s.money(total), Text: text},
		{Label: "Licenses sold", Figure: ui.Count(int(licenses)), Text: chosen.label + "."},
	}
}

// months draws the bars of the chosen range, at most 24, with round ticks.
func (s *Store) months(shown []Posting, chosen period, now time.Time) ([]ui.MonthBar, []ui.Tick) {
	if len(shown) == 0 {
		return nil, nil
	}
	last := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	if chosen.until != 0 && time.UnixMicro(chosen.until).UTC().Before(last) {
		last = time.UnixMicro(chosen.until).UTC().AddDate(0, -1, 0)
	}
	from := time.UnixMicro(max(chosen.from, shown[len(shown)-1].At)).UTC()
	if chosen.from != 0 {
		from = time.UnixMicro(chosen.from).UTC()
	}
	sums := map[string]int64{}
	for _, x := range shown {
		sums[time.UnixMicro(x.At).UTC().Format("2006-01")] += x.Amount
	}
	var labels []time.Time
	for m := last; !m.Before(time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC)) && len(labels) < 24; m = m.AddDate(0, -1, 0) {
		labels = append(labels, m)
	}
	slices.Reverse(labels)
	top := int64(1)
	for _, m := range labels {
		top = max(top, sums[m.Format("2006-01")])
	}
	scale := roundUp(top)
	bars := make([]ui.MonthBar, len(labels))
	for i, m := range labels {
		v := sums[m.Format("2006-01")]
		label := m.Format("Jan")
		if i == 0 || m.Month() == time.January {
			label = m.Format("Jan 2006")
		}
		bars[i] = ui.MonthBar{Label: label, Amount: s.money(v), Height: math.Max(float64(v), 0) / float64(scale)}
	}
	ticks := []ui.Tick{{Label: money.Of(0, s.Currency).String()}, {Label: money.Of(scale/2, s.Currency).String(), Height: .5}, {Label: money.Of(scale, s.Currency).String(), Height: 1}}
	return bars, ticks
}

// roundUp gives the next 2, 4 or 10 times a power of ten, so that half of it is round too.
func roundUp(v int64) int64 {
	for step := int64(1); ; step *= 10 {
		for _, f := range []int64{2, 4, 10} {
			if v <= f*step || step > math.MaxInt64/100 {
				return f * step
			}
		}
	}
}

// sold sums the range by recording, best first.
func (s *Store) sold(ctx context.Context, shown []Posting) (ui.Table, error) {
	type sum struct {
		id                   int64
		name                 string
		count, basis, amount int64
	}
	byID := map[int64]*sum{}
	for _, x := range shown {
		if x.Recording == 0 {
			continue
		}
		t := byID[x.Recording]
		if t == nil {
			t = &sum{id: x.Recording, name: fmt.Sprintf("Recording %d", x.Recording)}
			byID[x.Recording] = t
		}
		if x.Kind == Sale {
			t.count++
		}
		t.basis += x.Basis
		t.amount += x.Amount
	}
	rows := make([]*sum, 0, len(byID))
	for _, t := range byID {
		rows = append(rows, t)
	}
	slices.SortFunc(rows, func(a, b *sum) int {
		if a.amount != b.amount {
			return int(max(min(b.amount-a.amount, 1), -1))
		}
		return int(max(min(a.id-b.id, 1), -1))
	})
	t := ui.Table{Caption: "What sold, by recording", Head: []ui.Column{{Title: "Recording"}, {Title: "Licenses", Figure: true}, {Title: "Net price", Figure: true}, {Title: "Yours", Figure: true}}}
	for _, x := range rows[:min(len(rows), 100)] {
		name := x.name
		if s.Title != nil {
			title, err := s.Title(ctx, x.id)
			if err != nil && !errors.Is(err, db.ErrNotFound) {
				return t, err
			}
			if title != "" {
				name = title
			}
		}
		t.Rows = append(t.Rows, []ui.Cell{{Text: name, URL: fmt.Sprintf("/recordings/%d", x.id)}, {Text: strconv.FormatInt(x.count, 10)}, {Text: s.money(x.basis)}, {Text: s.money(x.amount)}})
	}
	return t, nil
}

func (s *Store) journal(shown []Posting, page int, rangeName string) (ui.Table, ui.Pager) {
	pages := (len(shown) + pageSize - 1) / pageSize
	page = min(page, max(pages, 1))
	t := ui.Table{Caption: "The book", Head: []ui.Column{{Title: "Booking"}, {Title: "When"}, {Title: "What"}, {Title: "Net price", Figure: true}, {Title: "Yours", Figure: true}}}
	for _, x := range shown[min((page-1)*pageSize, len(shown)):min(page*pageSize, len(shown))] {
		what := ui.Cell{Text: x.Note}
		if x.Recording != 0 {
			what.URL = fmt.Sprintf("/recordings/%d", x.Recording)
		}
		t.Rows = append(t.Rows, []ui.Cell{{Text: strconv.FormatInt(x.Journal, 10)}, {Text: ui.Date(x.At)}, what, {Text: s.money(x.Basis)}, {Text: s.money(x.Amount)}})
	}
	p := ui.Pager{Page: page, Pages: pages}
	at := func(n int) string { return fmt.Sprintf("/earnings?range=%s&page=%d", url.QueryEscape(rangeName), n) }
	if pages > 1 {
		if page > 1 {
			p.Prev = at(page - 1)
		}
		if page < pages {
			p.Next = at(page + 1)
		}
	}
	return t, p
}

func (s *Store) earningsCSV(w http.ResponseWriter, r *http.Request) error {
	me := access.From(r.Context())
	all, err := s.Statement(r.Context(), me.ID, 0, 0)
	if err != nil {
		return err
	}
	first := int64(0)
	if len(all) > 0 {
		first = all[len(all)-1].At
	}
	chosen := choose(periods(s.Now().UTC(), first), r.URL.Query().Get("range"))
	if r.URL.Query().Get("range") == "" {
		chosen = period{name: "all"}
	}
	var out bytes.Buffer
	if err := WriteCSV(&out, within(all, chosen)); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "earnings-"+chosen.name+".csv"))
	h.Set("Cache-Control", "private, no-store")
	_, err = w.Write(out.Bytes())
	return err
}
