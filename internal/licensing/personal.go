package licensing

import "audiomicro/internal/personal"

// Personal declares what this domain's tables hold about people.
func Personal() personal.Declaration {
	const books = "a sold license is proof for both sides and belongs to the books that tax law has kept"
	uses := []personal.Use{personal.Sell, personal.Account}
	proof := personal.Column{Cat: personal.Commerce, Uses: uses, See: []personal.Audience{personal.Self, personal.OtherParty, personal.Admins}, Export: true, Erase: personal.Keep, Hold: books}
	who := personal.Column{Cat: personal.Identifier, Uses: uses, See: []personal.Audience{personal.Self, personal.Admins}, Export: true, Erase: personal.Keep, Hold: books}
	price := personal.Column{Cat: personal.Commerce, Uses: []personal.Use{personal.Publish, personal.Sell}, See: []personal.Audience{personal.Everyone}, Export: true, Rectify: true, Erase: personal.Delete}
	return personal.Declaration{Domain: "licensing", Tables: []personal.Table{
		{Name: "license_model", NotPersonal: true, Why: "The kinds of licenses and their usual prices.",
			Cols: personal.Plain("code", "kind", "version", "deed", "imports_only", "music_minor", "sfx_minor", "floor_minor", "active", "position")},
		{Name: "license_text", NotPersonal: true, Why: "Every version of every license text.",
			Cols: personal.Plain("code", "version", "name", "summary", "terms", "text", "text_sha256", "created_at")},
		{Name: "offer", Subject: "offer.recording_id -> recording.owner_id", Why: "Under which licenses a contributor offers a recording, and for how much.",
			Cols: personal.With(personal.Plain("recording_id"), personal.Group(price, "model_code", "price_minor", "currency", "created_at"))},
		{Name: "license", Subject: "license.account_id", Why: "Who was licensed what, and the signed proof of it.",
			Cols: personal.With(personal.Plain("id", "order_line", "key_id"), personal.Group(who, "account_id"),
				personal.Group(proof, "number", "recording_id", "model_code", "model_version", "licensee", "company", "project", "certificate", "signature", "issued_at", "revoked_at", "revoked_why"))},
		{Name: "signing_key", NotPersonal: true, Why: "The keys that sign certificates.", Cols: personal.Plain("id", "seed", "public", "current", "created_at")},
	}}
}
