package mail

import "audiomicro/internal/personal"

// Personal declares outgoing_mail.
func Personal() personal.Declaration {
	about := func(c personal.Category, export bool) personal.Column {
		return personal.Column{Cat: c, Uses: []personal.Use{personal.RunService}, See: []personal.Audience{personal.Self, personal.Admins}, Export: export, Erase: personal.Delete}
	}
	return personal.Declaration{Domain: "mail", Tables: []personal.Table{{
		Name: "outgoing_mail", Subject: "outgoing_mail.account_id", Retain: keepRows, Clock: "created_at",
		Why: "mail to the person, kept until it is sent and as a record of it; the text is emptied a week after sending",
		Cols: personal.With(
			personal.Group(about(personal.Identifier, false), "id", "account_id", "message_id"),
			personal.Group(about(personal.Contact, true), "recipient"),
			personal.Group(about(personal.Mail, true), "kind", "subject", "text_body", "html_body", "state", "created_at", "sent_at"),
			personal.Group(about(personal.Mail, false), "attempts", "last_error"),
		),
	}}}
}
