package uploads

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web/ui"
)

// EditLog tells what a recording said, and how it was offered, before its edits after publishing, newest first, for its owner and moderators.
func (s *Store) EditLog(ctx context.Context, rec recordings.Recording) ([]ui.LogLine, error) {
	versions, err := s.Recordings.History(ctx, rec.ID)
	if err != nil || len(versions) == 0 {
		return nil, err
	}
	models, err := s.Licensing.Models(ctx, s.DB)
	if err != nil {
		return nil, err
	}
	var now recordings.Past
	if now.Description, err = s.describing(ctx, s.DB, rec); err != nil {
		return nil, err
	}
	if now.Offers, err = s.Licensing.Prices(ctx, s.DB, rec.ID); err != nil {
		return nil, err
	}
	out := make([]ui.LogLine, len(versions))
	for i, v := range versions {
		var was recordings.Past
		if err := json.Unmarshal([]byte(v.Was), &was); err != nil {
			return nil, fmt.Errorf("history of recording %d: %w", rec.ID, err)
		}
		who := "contributor"
		if v.EditorID != rec.OwnerID {
			who = "administrator"
		}
		out[i] = ui.LogLine{At: v.At, Who: who, Text: difference(was, now, func(offers map[string]string) string { return s.offersInWords(models, offers) })}
		now = was
	}
	return out, nil
}

// offersInWords names the offers of a version: "CC BY 4.0, Standard $9".
func (s *Store) offersInWords(models []licensing.Model, offers map[string]string) string {
	var out []string
	for _, m := range models {
		price, ok := offers[m.Code]
		if !ok {
			continue
		}
		text := m.Name
		if amount, err := money.Parse(price, s.Licensing.Currency); err == nil {
			text += " " + amount.String()
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// difference says in words what an edit changed, with what stood there before.
func difference(was, is recordings.Past, offersInWords func(map[string]string) string) string {
	var parts []string
	add := func(name, a, b string) {
		if a == b {
			return
		}
		if a == "" {
			a = "nothing"
		}
		parts = append(parts, name+" was “"+clip(a, 200)+"”")
	}
	add("Title", was.Title, is.Title)
	add("Description", was.Description.Description, is.Description.Description)
	add("Tags", strings.Join(was.Tags, ", "), strings.Join(is.Tags, ", "))
	add("Category", was.Category, is.Category)
	add("Pack", was.Pack, is.Pack)
	if was.AITraining != is.AITraining {
		parts = append(parts, map[bool]string{true: "AI training was allowed", false: "AI training was not allowed"}[was.AITraining])
	}
	if was.Offers != nil {
		add("Offer", offersInWords(was.Offers), offersInWords(is.Offers))
	}
	if len(parts) == 0 {
		return "Saved without a change that is kept here"
	}
	return strings.Join(parts, ". ")
}
