package listening

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	self := []personal.Audience{personal.Self, personal.Admins}
	uses := []personal.Use{personal.Sell, personal.Count}
	return personal.Declaration{Domain: "listening", Tables: []personal.Table{{
		Name: "download", Subject: "download.account_id", Why: "Which license each copy of an original was delivered under.",
		Cols: personal.With(
			personal.Plain("id"),
			personal.Group(personal.Column{Cat: personal.Usage, Uses: uses, See: self, Export: true, Erase: personal.Delete}, "account_id", "recording_id", "license_id", "kind", "byte_size", "at"),
		),
	}}}
}
