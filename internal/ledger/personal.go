package ledger

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people: whose account of the book is whose, and what was earned.
func Personal() personal.Declaration {
	const books = "the books are kept for as long as tax law asks; an erased person's account keeps its number only"
	uses := []personal.Use{personal.Account}
	owner := personal.Column{Cat: personal.Identifier, Uses: uses, See: []personal.Audience{personal.Self, personal.Admins}, Export: true, Erase: personal.Keep, Hold: books}
	line := personal.Column{Cat: personal.Commerce, Uses: uses, See: []personal.Audience{personal.Self, personal.Admins}, Export: true, Erase: personal.Keep, Hold: books}
	return personal.Declaration{Domain: "ledger", Tables: []personal.Table{
		{Name: "ledger_account", Subject: "ledger_account.owner_id", Why: "The accounts of the book: the house's and one for each contributor.",
			Cols: personal.With(personal.Plain("id", "kind", "currency", "created_at"), personal.Group(owner, "owner_id"))},
		{Name: "journal", NotPersonal: true, Why: "Each booking, named by the order it belongs to.", Cols: personal.Plain("id", "kind", "ref", "at", "memo")},
		{Name: "entry", Subject: "entry.account_id -> ledger_account.owner_id", Why: "The lines of each booking.",
			Cols: personal.With(personal.Plain("journal_id", "n", "account_id"), personal.Group(line, "amount_minor", "recording_id", "basis_minor", "note"))},
	}}
}
