package moderation

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	staff := personal.Column{Cat: personal.Moderation, Uses: []personal.Use{personal.Moderate}, See: []personal.Audience{personal.Moderators}, Erase: personal.Null}
	told := personal.Column{Cat: personal.Moderation, Uses: []personal.Use{personal.Moderate}, See: []personal.Audience{personal.Self, personal.Moderators}, Export: true, Erase: personal.Delete}
	return personal.Declaration{Domain: "moderation", Tables: []personal.Table{{
		Name: "review", Subject: "review.recording_id -> recording.owner_id", Why: "Who decided on a recording, when and why.",
		Cols: personal.With(personal.Plain("id", "recording_id", "match_id"), personal.Group(told, "state", "submitted_at", "flag", "decided_at", "reason", "note"), personal.Group(staff, "reviewer_id")),
	}}}
}
