package app

import (
	"audiomicro/internal/accounts"
	"audiomicro/internal/collections"
	"audiomicro/internal/jobs"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/listening"
	"audiomicro/internal/mail"
	"audiomicro/internal/moderation"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
	"audiomicro/internal/people"
	"audiomicro/internal/personal"
	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search"
	"audiomicro/internal/uploads"
)

// Declarations lists what every table holds about people.
func Declarations() []personal.Declaration {
	return []personal.Declaration{
		floorTables(), jobs.Personal(), mail.Personal(), accounts.Personal(), people.Personal(), recordings.Personal(), uploads.Personal(),
		listening.Personal(), moderation.Personal(), licensing.Personal(), ledger.Personal(), orders.Personal(), payments.Personal(), search.Personal(),
		reactions.Personal(), collections.Personal(),
	}
}

// floorTables declares the tables of the database floor and the change feed, which know no people.
func floorTables() personal.Declaration {
	return personal.Declaration{
		Domain: "floor",
		Tables: []personal.Table{
			{Name: "id_block", NotPersonal: true, Why: "Which ids are taken.", Cols: personal.Plain("kind", "next")},
			{Name: "instance", NotPersonal: true, Why: "Facts and secrets of this installation.", Cols: personal.Plain("name", "value", "created_at")},
			{Name: "feed_head", NotPersonal: true, Why: "The number of the latest change.", Cols: personal.Plain("id", "seq")},
			{Name: "changes", NotPersonal: true, Why: "Which objects changed, for the index and live pages.", Cols: personal.Plain("seq", "kind", "object_id", "at")},
		},
		Cookies: []personal.Cookie{
			{Name: "am_notice", Why: "One sentence about what just happened, shown on the next page.", Essential: true, Lives: 60e9},
		},
	}
}

// LibraryTables names tables that libraries own, with the reason why no domain declares them.
func LibraryTables() map[string]string {
	out := map[string]string{"schema_version": "goose: which migrations ran"}
	for _, name := range jobs.Tables() {
		out[name] = "River: jobs, whose arguments are ids only"
	}
	return out
}
