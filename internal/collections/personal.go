package collections

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	var (
		run    = []personal.Use{personal.RunService}
		self   = []personal.Audience{personal.Self}
		shared = personal.Column{Cat: personal.Content, Uses: append(run, personal.Publish), See: []personal.Audience{personal.Self, personal.Everyone}, Export: true, Rectify: true, Erase: personal.Delete}
		own    = personal.Column{Cat: personal.Usage, Uses: run, See: self, Export: true, Rectify: true, Erase: personal.Delete}
		key    = personal.Column{Name: "token", Cat: personal.Secret, Uses: run, See: self, Erase: personal.Delete}
	)
	var (
		report = personal.Column{Cat: personal.Moderation, Uses: []personal.Use{personal.Moderate}, See: []personal.Audience{personal.Self, personal.Moderators}, Export: true, Erase: personal.Delete}
		staff  = personal.Column{Cat: personal.Moderation, Uses: []personal.Use{personal.Moderate}, See: []personal.Audience{personal.Moderators}, Erase: personal.Null}
	)
	return personal.Declaration{Domain: "collections", Tables: []personal.Table{
		{Name: "collection", Subject: "collection.account_id", Why: "Lists of recordings that a person puts together; others see them when the person shares them.", Cols: personal.With(
			personal.Plain("id", "name_folded"), personal.Group(shared, "account_id", "name", "description"), personal.Group(own, "shared", "created_at", "changed_at", "deleted_at"), []personal.Column{key},
			personal.Group(report, "hidden_at", "hidden_why"), personal.Group(staff, "hidden_by"))},
		{Name: "collection_item", Subject: "collection_item.collection_id → collection.account_id", Why: "What is in a list, with the person's notes.", Cols: personal.With(
			personal.Plain("id"), personal.Group(shared, "collection_id", "recording_id", "note", "place"), personal.Group(own, "added_at", "removed_at"))},
		{Name: "collection_report", Subject: "collection_report.account_id", Why: "What people tell the moderators is wrong with a collection.", Cols: personal.With(
			personal.Group(report, "collection_id", "account_id", "why", "made_at", "closed_at"), personal.Group(staff, "closed_by"))},
	}}
}
