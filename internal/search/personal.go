package search

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	own := personal.Column{Cat: personal.Usage, Uses: []personal.Use{personal.RunService}, See: []personal.Audience{personal.Self}, Export: true, Rectify: true, Erase: personal.Delete}
	key := personal.Column{Name: "token", Cat: personal.Secret, Uses: []personal.Use{personal.RunService}, See: []personal.Audience{personal.Self}, Erase: personal.Delete}
	return personal.Declaration{Domain: "search", Tables: []personal.Table{
		{Name: "search_synonyms", NotPersonal: true, Why: "Which words the search takes for each other.", Cols: personal.Plain("id", "list", "changed_at")},
		{Name: "saved_search", Subject: "saved_search.account_id", Why: "Searches that a person wants to come back to, each with its feed.", Cols: personal.With(
			personal.Plain("id"), personal.Group(own, "account_id", "name", "params", "seen_at", "created_at"), []personal.Column{key})},
	}}
}
