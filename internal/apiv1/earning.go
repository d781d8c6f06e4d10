package apiv1

import (
	"context"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/ledger"
	"audiomicro/internal/money"
)

// Earnings are what a contributor earned in a range of time.
type Earnings struct {
	Items  []Booking `json:"items"`
	Total  int       `json:"total" doc:"How many there are on all pages."`
	Next   string    `json:"next,omitempty" format:"uri" doc:"The next page; left out on the last."`
	Owed   Money     `json:"owed" doc:"The balance in the book now, whatever the range."`
	Earned Money     `json:"earned" doc:"The sum of the range: refunds are taken off."`
	Sold   int       `json:"licenses_sold" doc:"In the range."`
}

// Booking is one line of the book that is about a contributor.
type Booking struct {
	Journal   int64     `json:"journal" doc:"Number of the booking."`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind" example:"sale" doc:"sale, refund, and what else is booked."`
	Amount    Money     `json:"amount" doc:"The contributor's share; negative for a refund."`
	Net       Money     `json:"net_price" doc:"What it is a share of."`
	Recording int64     `json:"recording,omitempty" doc:"Id."`
	Note      string    `json:"note"`
}

func (f *Face) earningOperations() {
	add(f, operation{route: "GET /me/earnings", id: "list-earnings", tag: tagMe, summary: "List what one earned", action: access.UseAccount, private: true, text: "Line by line as it stands in the book, the newest first."}, f.earnings)
}

func (f *Face) earnings(ctx context.Context, in *struct {
	Paging
	From  time.Time `query:"from" doc:"The first moment of the range; left out: the beginning."`
	Until time.Time `query:"until" doc:"The moment after its last; left out: now."`
}) (*body[Earnings], error) {
	var from, until int64
	if !in.From.IsZero() {
		from = in.From.UnixMicro()
	}
	if !in.Until.IsZero() {
		until = max(in.Until.UnixMicro(), 1) // 0 would be no end
	}
	all, err := f.Ledger.Statement(ctx, me(ctx).ID, from, until)
	if err != nil {
		return nil, err
	}
	owed, err := f.Ledger.Owed(ctx, f.Ledger.DB, me(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := Earnings{Items: []Booking{}, Total: len(all), Owed: moneyOf(owed), Earned: Money{0, f.Ledger.Currency}}
	for _, x := range all {
		if out.Earned.Minor += x.Amount; x.Kind == ledger.Sale {
			out.Sold++
		}
	}
	for _, x := range cut(in.Paging, all) {
		out.Items = append(out.Items, Booking{x.Journal, moment(x.At), x.Kind, moneyOf(money.Of(x.Amount, x.Currency)), moneyOf(money.Of(x.Basis, x.Currency)), x.Recording, x.Note})
	}
	if in.offset()+in.Size < len(all) {
		out.Next = f.nextPage(ctx, in.Page)
	}
	return answer(out), nil
}
