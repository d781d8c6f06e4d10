package apiv1

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"audiomicro/internal/money"
)

// Money is an amount.
type Money struct {
	Minor    int64  `json:"minor" doc:"In the smallest unit of the currency: 300 is $3.00."`
	Currency string `json:"currency" minLength:"3" maxLength:"3" doc:"ISO 4217 code."`
}

func moneyOf(a money.Amount) Money { return Money{a.Minor, a.Currency} }

// moment is a point in time from unix microseconds, in whole seconds.
func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC().Truncate(time.Second) }

// maybe is a moment, nil for 0.
func maybe(micros int64) *time.Time {
	if micros == 0 {
		return nil
	}
	t := moment(micros)
	return &t
}

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Total int    `json:"total" doc:"How many there are on all pages."`
	Next  string `json:"next,omitempty" format:"uri" doc:"The next page; left out on the last."`
}

// Stretch is a page of a list that is too long to be counted.
type Stretch[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" format:"uri" doc:"The next page; left out on the last."`
}

type body[T any] struct{ Body T }

func answer[T any](v T) *body[T] { return &body[T]{v} }

// nothing is the answer of what only happens.
type nothing struct{}

// Paging are the parameters of a list.
type Paging struct {
	Page int `query:"page" minimum:"1" maximum:"10000" default:"1"`
	Size int `query:"page_size" minimum:"1" maximum:"100" default:"24" doc:"How many at once."`
}

func (p Paging) offset() int { return (p.Page - 1) * p.Size }

// page makes a list of one page of total things.
func page[T any](ctx context.Context, f *Face, p Paging, items []T, total int) *body[List[T]] {
	l := List[T]{Items: notNil(items), Total: total}
	if p.offset()+p.Size < total {
		l.Next = f.nextPage(ctx, p.Page)
	}
	return answer(l)
}

// nextPage is the address of the page after n of the request's list.
func (f *Face) nextPage(ctx context.Context, n int) string {
	return f.with(ctx, "page", strconv.Itoa(n+1))
}

// with is the request's address with one parameter set.
func (f *Face) with(ctx context.Context, key, value string) string {
	u := url.URL{Path: from(ctx).r.URL.Path}
	q := from(ctx).r.URL.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return f.Site.URL + u.String()
}

// cut takes one page out of a whole list.
func cut[T any](p Paging, all []T) []T {
	at := min(p.offset(), len(all))
	return all[at:min(at+p.Size, len(all))]
}

// itoa writes a number.
func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// ByID is the input of an operation on one thing.
type ByID struct {
	ID int64 `path:"id" minimum:"1"`
}

// ByName is the input of an operation on one person.
type ByName struct {
	Name string `path:"name" maxLength:"100"`
}
