package people

import "audiomicro/internal/personal"

// Personal declares what profile holds about people.
func Personal() personal.Declaration {
	shown := personal.Column{Cat: personal.Profile, Uses: []personal.Use{personal.Publish}, See: []personal.Audience{personal.Everyone}, Export: true, Rectify: true, Erase: personal.Delete}
	run := []personal.Use{personal.RunService}
	self := []personal.Audience{personal.Self, personal.Admins}
	return personal.Declaration{
		Domain: "people",
		Tables: []personal.Table{{
			Name: "profile", Subject: "profile.account_id", Why: "what people say about themselves",
			Cols: personal.With(
				personal.Group(shown, "display_name", "bio", "website", "picture_ref"),
				[]personal.Column{
					{Name: "account_id", Cat: personal.Identifier, Uses: run, See: self, Export: true, Erase: personal.Delete},
					{Name: "updated_at", Cat: personal.Usage, Uses: run, See: self, Export: true, Erase: personal.Delete},
				},
			),
		}},
	}
}
