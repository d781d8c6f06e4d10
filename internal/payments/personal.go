package payments

import (
	"time"

	"audiomicro/internal/personal"
)

// Personal declares what this domain's tables hold about people: nothing but which order was paid how.
func Personal() personal.Declaration {
	const day = 24 * time.Hour
	const books = "payments belong to the books that tax law has kept"
	paid := personal.Column{Cat: personal.Commerce, Uses: []personal.Use{personal.Sell, personal.Account}, See: []personal.Audience{personal.Self, personal.Admins}, Export: true, Erase: personal.Keep, Hold: books}
	raw := personal.Column{Cat: personal.Commerce, Uses: []personal.Use{personal.Account}, See: []personal.Audience{personal.Admins}, Erase: personal.Keep, Hold: books}
	return personal.Declaration{Domain: "payments", Tables: []personal.Table{
		{Name: "payment", Subject: "payment.order_id -> orders.account_id", Why: "Each attempt to pay an order and how it went.",
			Cols: personal.With(personal.Plain("ref", "provider_ref"), personal.Group(paid, "order_id", "provider", "state", "amount_minor", "currency", "refunded_minor", "created_at", "updated_at"))},
		{Name: "payment_event", Subject: "payment_event.ref -> payment.order_id -> orders.account_id", Why: "What payment providers told us, as they sent it.", Retain: 400 * day, Clock: "received_at",
			Cols: personal.With(personal.Plain("id", "provider", "event_id", "ref", "state", "amount_minor", "currency", "received_at", "processed_at", "outcome"), personal.Group(raw, "raw"))},
		{Name: "payment_refund", Subject: "payment_refund.ref -> payment.order_id -> orders.account_id", Why: "Money that was sent back, and why.",
			Cols: personal.With(personal.Plain("refund_key", "ref"), personal.Group(paid, "amount_minor", "created_at", "sent_at", "note"))},
		{Name: "test_charge", NotPersonal: true, Why: "The memory of the test provider, on dev instances only.",
			Cols: personal.Plain("ref", "label", "amount_minor", "currency", "state", "event_id", "return_url", "created_at")},
		{Name: "test_refund", NotPersonal: true, Why: "The memory of the test provider, on dev instances only.", Cols: personal.Plain("refund_key", "ref", "amount_minor", "created_at")},
	}}
}
