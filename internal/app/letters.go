package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"audiomicro/internal/accounts"
	"audiomicro/internal/collections"
	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
	"audiomicro/internal/licensing"
	"audiomicro/internal/mail"
	"audiomicro/internal/money"
	"audiomicro/internal/orders"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web/ui"
)

// Kinds of mail about reviews.
const (
	mailPublished = "review-published"
	mailReturned  = "review-returned"
)

// mailHidden is the kind of mail about a collection that a moderator hid.
const mailHidden = "collection-hidden"

// mailFallen is the kind of mail about a price that is too low now.
const mailFallen = "price-below-floor"

// mailKinds declares every kind of mail that the site sends.
func mailKinds() []mail.Kind {
	var out []mail.Kind
	for name, why := range accounts.Letters() {
		out = append(out, mail.Kind{Name: name, Class: mail.Service, Why: why})
	}
	out = append(out, orders.MailKinds()...)
	return append(out,
		mail.Kind{Name: mailPublished, Class: mail.Service, Why: "tells a contributor that a recording is published"},
		mail.Kind{Name: mailFallen, Class: mail.Service, Why: "tells a contributor that the lowest price was raised above theirs, so that nothing is sold at it"},
		mail.Kind{Name: mailHidden, Class: mail.Service, Why: "tells a person why a moderator hid a collection"},
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

// fallenShown is how many recordings the mail about prices that are too low names and leads to.
const fallenShown = 50

// tellFallen is the job of licensing.FloorRaised: it writes to every contributor whose prices lie below the floor since then, one mail
// each.
func (a *App) tellFallen(ctx context.Context, e licensing.FloorRaised) error {
	return a.DB.Tx(ctx, func(tx *db.Tx) error {
		m, err := a.Licensing.Model(ctx, tx, e.Code, 0)
		if err != nil {
			return err
		}
		ids, err := a.Licensing.Fallen(ctx, tx, e.Code, e.From)
		if err != nil {
			return err
		}
		by := map[int64][]recordings.Recording{}
		var owners []int64
		for part := range slices.Chunk(ids, 500) {
			list, err := a.Recordings.ByIDs(ctx, part)
			if err != nil {
				return err
			}
			for _, rec := range list {
				if rec.State != recordings.Published && rec.State != recordings.Submitted {
					continue // its page says so when it is described
				}
				if by[rec.OwnerID] == nil {
					owners = append(owners, rec.OwnerID)
				}
				by[rec.OwnerID] = append(by[rec.OwnerID], rec)
			}
		}
		for _, owner := range owners {
			if err := a.fallenLetter(ctx, tx, m, owner, by[owner]); err != nil {
				return err
			}
		}
		return jobs.Complete(ctx, tx)
	})
}

func (a *App) fallenLetter(ctx context.Context, tx *db.Tx, m licensing.Model, ownerID int64, list []recordings.Recording) error {
	owner, err := a.Accounts.ByIDTx(ctx, tx, ownerID)
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	floor := money.Of(m.FloorMinor, a.Config.Currency)
	shown := list[:min(len(list), fallenShown)]
	text := []string{fmt.Sprintf("This site now asks at least %s for the %s license. Your price for %s is lower, so nothing is sold at it until you set a new one. Licenses that were sold stay as they are.",
		floor, m.Name, ui.Plural(len(list), "recording", "recordings"))}
	numbers := make([]string, len(shown))
	for i, rec := range shown {
		text = append(text, fmt.Sprintf("%s: %s/recordings/%d/edit", rec.Title, a.Config.URL, rec.ID))
		numbers[i] = fmt.Sprint(rec.ID)
	}
	if more := len(list) - len(shown); more > 0 {
		text = append(text, fmt.Sprintf("And %d more, listed under My sounds.", more))
	}
	return a.send(ctx, tx, mailFallen, owner.Email, owner.ID, fmt.Sprintf("%s costs at least %s now: set new prices", m.Name, floor), text,
		mail.Button{Label: "Set new prices", URL: a.Config.URL + "/upload/describe?ids=" + strings.Join(numbers, ",")})
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

// tellHidden writes to the owner of a collection that a moderator hid.
func (a *App) tellHidden(ctx context.Context, tx *db.Tx, c collections.Collection, why string) error {
	owner, err := a.Accounts.ByID(ctx, c.AccountID)
	if err != nil {
		return err
	}
	return a.send(ctx, tx, mailHidden, owner.Email, owner.ID, c.Name+" is hidden",
		[]string{"A moderator hid your collection from everybody but you, for this reason:", why, "Nothing in it is lost. Change what is wrong, and answer this mail if you think that it should be seen again."},
		mail.Button{Label: "Open the collection", URL: a.Config.URL + c.Path()})
}
