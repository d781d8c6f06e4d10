package app

import (
	"context"
	"fmt"

	"audiomicro/internal/accounts"
	"audiomicro/internal/db"
	"audiomicro/internal/mail"
	"audiomicro/internal/orders"
	"audiomicro/internal/recordings"
)

// Kinds of mail about reviews.
const (
	mailPublished = "review-published"
	mailReturned  = "review-returned"
)

// mailKinds declares every kind of mail that the site sends.
func mailKinds() []mail.Kind {
	var out []mail.Kind
	for name, why := range accounts.Letters() {
		out = append(out, mail.Kind{Name: name, Class: mail.Service, Why: why})
	}
	out = append(out, orders.MailKinds()...)
	return append(out,
		mail.Kind{Name: mailPublished, Class: mail.Service, Why: "tells a contributor that a recording is published"},
		mail.Kind{Name: mailReturned, Class: mail.Service, Why: "tells a contributor why a recording was returned"},
	)
}

// post gives a letter about an account its form and queues it.
func (a *App) post(ctx context.Context, tx *db.Tx, l accounts.Letter) error {
	return a.send(ctx, tx, l.Kind, l.To, l.AccountID, l.Subject, l.Paragraphs, mail.Button{Label: l.ButtonLabel, URL: l.ButtonURL})
}

func (a *App) send(ctx context.Context, tx *db.Tx, kind, to string, account int64, subject string, paragraphs []string, button mail.Button) error {
	footer := fmt.Sprintf("%s sends this because of your account. It is no advertising.", a.Config.SiteName)
	body, err := mail.Compose(mail.Site{Name: a.Config.SiteName, URL: a.Config.URL}, subject, paragraphs, button, footer)
	if err != nil {
		return fmt.Errorf("compose %s: %w", kind, err)
	}
	return a.Mail.Send(ctx, tx, mail.Message{Kind: kind, To: to, AccountID: account, Subject: subject, Text: body.Text, HTML: body.HTML})
}

// tellDecision writes to the contributor what a moderator decided.
func (a *App) tellDecision(ctx context.Context, tx *db.Tx, rec recordings.Recording, approved bool, note string) error {
	owner, err := a.Accounts.ByIDTx(ctx, tx, rec.OwnerID)
	if err != nil {
		return err
	}
	link := fmt.Sprintf("%s/recordings/%d", a.Config.URL, rec.ID)
	if approved {
		text := []string{"Your recording was reviewed and is public now."}
		if note != "" {
			text = append(text, "The reviewer wrote:", note)
		}
		return a.send(ctx, tx, mailPublished, owner.Email, owner.ID, rec.Title+" is published", text, mail.Button{Label: "Open the recording", URL: link})
	}
	return a.send(ctx, tx, mailReturned, owner.Email, owner.ID, rec.Title+" was returned",
		[]string{"Your recording was reviewed and returned with this note:", note, "Nothing is lost: mend it and submit it again."},
		mail.Button{Label: "Mend the recording", URL: link + "/edit"})
}
