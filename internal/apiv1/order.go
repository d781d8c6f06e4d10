package apiv1

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/money"
	"audiomicro/internal/orders"
)

// Cart is what an account wants to buy, at today's prices.
type Cart struct {
	Items    []CartItem `json:"items"`
	Subtotal Money      `json:"subtotal"`
	Tax      Money      `json:"tax"`
	Total    Money      `json:"total"`
	Royalty  Money      `json:"royalty" doc:"What of it goes to the people who made the recordings."`
	Quote    string     `json:"quote" doc:"Stands for exactly this cart at these prices: an order sends it, and is refused when anything changed since."`
}

// CartItem is one license in a cart.
type CartItem struct {
	Recording int64   `json:"recording" doc:"Id."`
	Title     string  `json:"title"`
	License   string  `json:"license" doc:"Code."`
	Price     *Money  `json:"price,omitempty" doc:"Left out when it cannot be bought."`
	Changed   string  `json:"changed,omitempty" doc:"How the price changed since it was seen."`
	Problem   string  `json:"problem,omitempty" doc:"Why it cannot be bought."`
	Note      string  `json:"note,omitempty"`
	Offers    []Offer `json:"offers" doc:"What could be chosen."`
}

// Order is one order.
type Order struct {
	ID         int64       `json:"id"`
	Name       string      `json:"name" doc:"The number of its invoice once it is paid, its id before."`
	State      string      `json:"state" enum:"draft,pending,authorized,paid,failed,canceled,expired,part-refunded,refunded"`
	Licensee   string      `json:"licensee"`
	Company    string      `json:"company"`
	Project    string      `json:"project"`
	Country    string      `json:"country"`
	Provider   string      `json:"provider"`
	Subtotal   Money       `json:"subtotal"`
	Tax        Money       `json:"tax"`
	Total      Money       `json:"total"`
	Placed     time.Time   `json:"placed_at"`
	Paid       *time.Time  `json:"paid_at"`
	ReplacedBy *int64      `json:"replaced_by" doc:"The order that took its place."`
	URL        string      `json:"url" format:"uri" doc:"Its page, with the invoice."`
	Lines      []OrderLine `json:"lines"`
}

// OrderLine is one license of an order.
type OrderLine struct {
	Recording int64      `json:"recording" doc:"Id."`
	Title     string     `json:"title"`
	License   string     `json:"license" doc:"Code."`
	Version   int64      `json:"license_version"`
	Price     Money      `json:"price"`
	Tax       Money      `json:"tax"`
	Refunded  *time.Time `json:"refunded_at"`
	Held      *int64     `json:"held_license" doc:"Id in the library, once it is paid."`
}

// Checkout is what makes an order of a cart.
type Checkout struct {
	Quote    string `json:"quote" maxLength:"100" doc:"From the cart as it was shown."`
	Licensee string `json:"licensee" minLength:"1" maxLength:"200" doc:"Printed on the certificates."`
	Company  string `json:"company,omitempty" maxLength:"200"`
	Project  string `json:"project" minLength:"1" maxLength:"200" doc:"What the sounds are used in."`
	Country  string `json:"country" minLength:"2" maxLength:"2" doc:"ISO 3166 code of where the buyer is billed."`
	Provider string `json:"provider" maxLength:"50" doc:"How to pay; /site lists the providers."`
}

// CartLicense is what is chosen for a recording.
type CartLicense struct {
	License string `json:"license" maxLength:"100" doc:"Code of a paid license it is offered under."`
}

// PayPage is where an order is paid.
type PayPage struct {
	URL string `json:"url" format:"uri" doc:"Send the person there."`
}

func (f *Face) orderOperations() {
	add(f, operation{route: "GET /cart", id: "get-cart", tag: tagOrders, summary: "Read one's cart", action: access.UseAccount, private: true},
		func(ctx context.Context, _ *struct{}) (*body[Cart], error) { return f.cart(ctx) })
	add(f, operation{route: "PUT /cart/{id}", id: "put-into-cart", tag: tagOrders, summary: "Put a license into one's cart", action: access.UseAccount, private: true, errors: []int{http.StatusConflict},
		text: "One license for each recording; another one takes its place."},
		func(ctx context.Context, in *struct {
			ID   int64 `path:"id" minimum:"1" doc:"Of the recording."`
			Body CartLicense
		}) (*body[Cart], error) {
			if err := f.Orders.Add(ctx, shopper(ctx), in.ID, in.Body.License); err != nil {
				return nil, err
			}
			return f.cart(ctx)
		})
	add(f, operation{route: "DELETE /cart/{id}", id: "remove-from-cart", tag: tagOrders, summary: "Take a recording out of one's cart", action: access.UseAccount, private: true}, f.uncart)
	add(f, operation{route: "GET /orders", id: "list-orders", tag: tagOrders, summary: "List one's orders", action: access.UseAccount, private: true, text: "Newest first."},
		func(ctx context.Context, in *Paging) (*body[List[Order]], error) {
			all, err := f.Orders.OfAccount(ctx, me(ctx).ID)
			if err != nil {
				return nil, err
			}
			var out []Order
			for _, o := range cut(*in, all) {
				shown, err := f.order(ctx, o)
				if err != nil {
					return nil, err
				}
				out = append(out, shown)
			}
			return page(ctx, f, *in, out, len(all)), nil
		})
	add(f, operation{route: "GET /orders/{id}", id: "get-order", tag: tagOrders, summary: "Read one's order", action: access.UseAccount, private: true},
		func(ctx context.Context, in *ByID) (*body[Order], error) {
			o, err := f.Orders.Own(ctx, me(ctx).ID, in.ID)
			if err != nil {
				return nil, err
			}
			out, err := f.order(ctx, o)
			return answer(out), err
		})
	add(f, operation{route: "POST /orders", id: "place-order", tag: tagOrders, summary: "Order what is in one's cart", action: access.Buy, own: true, status: http.StatusCreated, errors: []int{http.StatusConflict},
		text: "At exactly the prices that the quote stands for. The same `Idempotency-Key` makes one order, however often it is sent; with other words in the body it answers 409."}, f.place)
	add(f, operation{route: "POST /orders/{id}/pay", id: "pay-order", tag: tagOrders, summary: "Begin to pay an order", action: access.Buy, own: true, errors: []int{http.StatusConflict}, text: "Answers with the page on which the person pays."},
		func(ctx context.Context, in *ByID) (*body[PayPage], error) {
			at, err := f.Orders.Pay(ctx, me(ctx).ID, in.ID)
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(at, "/") {
				at = f.Site.URL + at
			}
			return answer(PayPage{at}), nil
		})
	add(f, operation{route: "POST /orders/{id}/cancel", id: "cancel-order", tag: tagOrders, summary: "Cancel an order that was not paid", action: access.Buy, own: true, errors: []int{http.StatusConflict}},
		func(ctx context.Context, in *ByID) (*body[Order], error) {
			if err := f.Orders.Cancel(ctx, me(ctx).ID, in.ID); err != nil {
				return nil, err
			}
			o, err := f.Orders.Own(ctx, me(ctx).ID, in.ID)
			if err != nil {
				return nil, err
			}
			out, err := f.order(ctx, o)
			return answer(out), err
		})
}

func shopper(ctx context.Context) orders.Shopper { return orders.Shopper{Account: me(ctx).ID} }

func (f *Face) cart(ctx context.Context) (*body[Cart], error) {
	cart, err := f.Orders.Cart(ctx, f.Orders.DB, shopper(ctx))
	if err != nil {
		return nil, err
	}
	q, err := f.Orders.Quote(cart)
	if err != nil {
		return nil, err
	}
	out := Cart{Items: []CartItem{}, Subtotal: moneyOf(q.Subtotal), Tax: moneyOf(q.Tax), Total: moneyOf(q.Total), Royalty: moneyOf(q.Royalty), Quote: q.Mark()}
	for _, it := range cart.Items {
		item := CartItem{Recording: it.Recording.ID, Title: it.Recording.Title, License: it.Code, Changed: it.Stale, Problem: it.Problem, Note: it.Note, Offers: f.offers(it.Offers)}
		if it.Problem == "" {
			price := moneyOf(it.Price)
			item.Price = &price
		}
		out.Items = append(out.Items, item)
	}
	return answer(out), nil
}

func (f *Face) uncart(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"1" doc:"Of the recording."`
}) (*body[Cart], error) {
	cart, err := f.Orders.Cart(ctx, f.Orders.DB, shopper(ctx))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(cart.Items, func(it orders.Item) bool { return it.Recording.ID == in.ID })
	if i < 0 {
		return nil, missing("cart line of recording", in.ID)
	}
	if err := f.Orders.Remove(ctx, shopper(ctx), cart.Items[i].ID); err != nil {
		return nil, err
	}
	return f.cart(ctx)
}

func (f *Face) place(ctx context.Context, in *struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"100" doc:"Random, one for each order."`
	Body Checkout
}) (*struct {
	Location string `header:"Location"`
	Body     Order
}, error) {
	b := in.Body
	o, err := f.Orders.Place(ctx, me(ctx).ID, orders.Checkout{Key: in.Key, Seen: b.Quote, Licensee: b.Licensee, Company: b.Company, Project: b.Project, Country: b.Country, Provider: b.Provider})
	var bad *orders.Invalid
	if errors.As(err, &bad) {
		out := &fault{status: http.StatusUnprocessableEntity, detail: bad.Error()}
		for _, p := range bad.Problems {
			out.fields = append(out.fields, FieldError{"body." + p.Field, p.Text})
		}
		return nil, out
	}
	if err != nil {
		return nil, err
	}
	out := struct {
		Location string `header:"Location"`
		Body     Order
	}{Location: f.at("%s/orders/%d", Prefix, o.ID)}
	out.Body, err = f.order(ctx, o)
	return &out, err
}

func (f *Face) order(ctx context.Context, o orders.Order) (Order, error) {
	amount := func(minor int64) Money { return moneyOf(money.Of(minor, o.Currency)) }
	out := Order{ID: o.ID, Name: o.Name(), State: string(o.State), Licensee: o.Licensee, Company: o.Company, Project: o.Project, Country: o.Country, Provider: o.Provider,
		Subtotal: amount(o.Subtotal), Tax: amount(o.Tax), Total: amount(o.Total), Placed: moment(o.PlacedAt), ReplacedBy: o.ReplacedBy, URL: f.at("/orders/%d", o.ID), Lines: []OrderLine{}}
	if o.PaidAt != nil {
		out.Paid = maybe(*o.PaidAt)
	}
	lines, err := f.Orders.Lines(ctx, f.Orders.DB, o.ID)
	if err != nil {
		return out, err
	}
	for _, l := range lines {
		line := OrderLine{Recording: l.RecordingID, Title: l.Title, License: l.ModelCode, Version: l.ModelVersion, Price: amount(l.Price), Tax: amount(l.Tax)}
		if l.RefundedAt != nil {
			line.Refunded = maybe(*l.RefundedAt)
		}
		held, err := f.Licensing.ByOrderLine(ctx, f.Licensing.DB, l.ID)
		switch {
		case err == nil:
			line.Held = &held.ID
		case !errors.Is(err, db.ErrNotFound):
			return out, err
		}
		out.Lines = append(out.Lines, line)
	}
	return out, nil
}
