package reactions

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	var (
		self     = []personal.Audience{personal.Self}
		everyone = []personal.Audience{personal.Everyone}
		run      = []personal.Use{personal.RunService}
		said     = personal.Column{Cat: personal.Content, Uses: []personal.Use{personal.Publish}, See: everyone, Export: true, Rectify: true, Erase: personal.Delete}
		own      = personal.Column{Cat: personal.Usage, Uses: run, See: self, Export: true, Rectify: true, Erase: personal.Delete}
		review   = personal.Column{Cat: personal.Moderation, Uses: []personal.Use{personal.Moderate}, See: []personal.Audience{personal.Self, personal.Moderators}, Export: true, Erase: personal.Delete}
		staff    = personal.Column{Cat: personal.Moderation, Uses: []personal.Use{personal.Moderate}, See: []personal.Audience{personal.Moderators}, Erase: personal.Delete}
	)
	return personal.Declaration{Domain: "reactions", Tables: []personal.Table{
		{Name: "comment", Subject: "comment.account_id", Why: "What people say about recordings.", Cols: personal.With(
			personal.Plain("id"), personal.Group(said, "recording_id", "account_id", "body", "created_at"),
			personal.Group(review, "removed_at", "removed_why"), personal.Group(staff, "removed_by"))},
		{Name: "rating", Subject: "rating.account_id", Why: "How people rate recordings; only the sum is shown.", Cols: personal.Group(own, "recording_id", "account_id", "stars", "rated_at")},
		{Name: "favorite", Subject: "favorite.account_id", Why: "The recordings that a person wants to find again.", Cols: personal.Group(own, "account_id", "recording_id", "added_at")},
	}}
}
