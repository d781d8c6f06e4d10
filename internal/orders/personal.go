package orders

import (
	"time"

	"audiomicro/internal/personal"
)

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	const day = 24 * time.Hour
	const books = "orders are invoices, which tax law has kept"
	sell := []personal.Use{personal.Sell}
	keep := []personal.Use{personal.Sell, personal.Account}
	mine := []personal.Audience{personal.Self}
	both := []personal.Audience{personal.Self, personal.Admins}
	cart := personal.Column{Cat: personal.Commerce, Uses: sell, See: mine, Export: true, Rectify: true, Erase: personal.Delete}
	owner := personal.Column{Cat: personal.Identifier, Uses: sell, See: mine, Export: true, Erase: personal.Delete}
	token := personal.Column{Cat: personal.Secret, Uses: sell, See: []personal.Audience{personal.NoOne}, Erase: personal.Delete, Protect: "hashed"}
	order := personal.Column{Cat: personal.Commerce, Uses: keep, See: both, Export: true, Erase: personal.Keep, Hold: books}
	buyer := personal.Column{Cat: personal.Identifier, Uses: keep, See: both, Export: true, Erase: personal.Keep, Hold: books}
	maker := personal.Column{Cat: personal.Identifier, Uses: keep, See: []personal.Audience{personal.Admins}, Erase: personal.Keep, Hold: books}
	return personal.Declaration{Domain: "orders",
		Tables: []personal.Table{
			{Name: "cart", Subject: "cart.account_id", Why: "Whose cart is whose: an account's, or a browser's.", Retain: guestCartLife, Clock: "updated_at",
				Cols: personal.With(personal.Plain("id"), personal.Group(owner, "account_id"), personal.Group(token, "token_hash"), personal.Group(cart, "created_at", "updated_at"))},
			{Name: "cart_line", Subject: "cart_line.cart_id -> cart.account_id", Why: "What somebody means to buy.",
				Cols: personal.With(personal.Plain("id", "cart_id"), personal.Group(cart, "recording_id", "model_code", "price_minor", "currency", "added_at"))},
			{Name: "orders", Subject: "orders.account_id", Why: "What was ordered by whom, and its invoice.",
				Cols: personal.With(personal.Plain("id", "place_key"), personal.Group(buyer, "account_id", "licensee", "company", "country"),
					personal.Group(order, "number", "state", "project", "currency", "subtotal_minor", "tax_name", "tax_basis", "tax_minor", "total_minor", "provider", "placed_at", "paid_at", "updated_at", "replaced_by"))},
			{Name: "order_line", Subject: "order_line.order_id -> orders.account_id", Why: "Each license of an order, and whose recording it is for.",
				Cols: personal.With(personal.Plain("id", "order_id", "n"), personal.Group(maker, "contributor_id"),
					personal.Group(order, "recording_id", "title", "model_code", "model_version", "model_name", "price_minor", "tax_minor", "royalty_minor", "refunded_at"))},
			{Name: "invoice_series", NotPersonal: true, Why: "The next invoice number of each year.", Cols: personal.Plain("series", "next")},
		},
		Cookies: []personal.Cookie{{Name: cartCookie, Why: "keeps the cart of a visitor who has not signed in (named __Host-am_cart over https)", Essential: true, Lives: 30 * day}},
	}
}
