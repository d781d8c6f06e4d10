package search

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"audiomicro/internal/access"
	"audiomicro/internal/db"
	"audiomicro/internal/money"
	"audiomicro/internal/recordings"
	"audiomicro/internal/web/ui"
)

// Loudness to which previews are brought by the player, and the true peak they must not pass.
const (
	targetLUFS = -18.0
	peakLimit  = -1.0 // dBTP
	mostLift   = 12.0 // dB; the player has as much room
	leastLift  = -18.0
)

// price is what a row says of a recording's cost.
type price struct {
	RecordingID int64  `db:"recording_id"`
	FreeCode    string `db:"free_code"`
	Minor       int64  `db:"min_price_minor"`
	Currency    string `db:"currency"`
	Model       string `db:"min_model_code"`
	ModelName   string `db:"min_model_name"`
}

// Sounds makes rows of recordings, in the order of ids, for the actor of ctx. Those the actor may not see are left out. It
// reads each table once, however many rows there are.
func (s *Store) Sounds(ctx context.Context, ids []int64) ([]ui.Sound, error) {
	all, err := s.Recordings.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	return s.rowsOf(ctx, all)
}

// rowsOf is Sounds for recordings that were read just now.
func (s *Store) rowsOf(ctx context.Context, all []recordings.Recording) ([]ui.Sound, error) {
	actor := access.From(ctx)
	var list []recordings.Recording
	var ids, owners []int64
	for _, r := range all {
		if access.Can(actor, access.SeeRecording, r.Object(false)) {
			list, ids, owners = append(list, r), append(ids, r.ID), append(owners, r.OwnerID)
		}
	}
	people, err := s.People(ctx, owners)
	if err != nil {
		return nil, err
	}
	prices, err := s.prices(ctx, ids)
	if err != nil {
		return nil, err
	}
	held := map[int64]int64{}
	if actor.SignedIn() {
		if held, err = s.Held(ctx, actor.ID, ids); err != nil {
			return nil, err
		}
	}
	favored, mayFavor := map[int64]bool{}, actor.SignedIn() && access.Might(actor, access.React)
	if mayFavor {
		if favored, err = s.Favored(ctx, actor.ID, ids); err != nil {
			return nil, err
		}
	}
	cart, err := s.InCart(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]ui.Sound, 0, len(list))
	for _, r := range list {
		row := s.Sound(r, people[r.OwnerID], prices[r.ID])
		license, licensed := held[r.ID]
		if row.PreviewURL, row.PreviewLQ = s.Listening.Hears(actor, r, licensed); row.PreviewURL == "" && row.Unavailable == "" {
			row.Unavailable = "its preview is being made"
		}
		if mayFavor && r.State == recordings.Published {
			row.FavorURL, row.Favored = row.URL+"/favorite", favored[r.ID]
		}
		s.act(&row, r, prices[r.ID], actor, license, cart[r.ID])
		if actor.SignedIn() && r.State == recordings.Published {
			row.CollectURL = "/collections/add?recording=" + strconv.FormatInt(r.ID, 10)
		}
		out = append(out, row)
	}
	return out, nil
}

// Sound is the part of a row that does not depend on who looks.
func (s *Store) Sound(r recordings.Recording, by ui.Link, p price) ui.Sound {
	row := ui.Sound{
		ID: r.ID, URL: "/recordings/" + strconv.FormatInt(r.ID, 10), Title: r.Title, Contributor: by.Text, ContributorURL: by.URL,
		Bars: r.Bars, Seconds: r.Seconds, LoudnessGain: Gain(r),
	}
	if row.Title == "" {
		row.Title = r.FileName
	}
	if r.TempoConfidence >= .5 {
		row.Tempo = int(math.Round(r.Tempo))
	}
	if r.KeyConfidence >= sureKey {
		row.Key = ShortKey(r.Key)
	}
	switch {
	case p.FreeCode != "":
		row.Free, row.PriceLabel, row.LicenseLabel = true, "Free", shortLicense(p.FreeCode)
	case p.Minor >= 0 && p.Model != "":
		row.PriceLabel, row.LicenseLabel, row.Model = money.Of(p.Minor, p.Currency).String(), p.ModelName, p.Model
	}
	if r.Processing != recordings.Ready {
		row.Unavailable = "being analyzed"
		if r.Processing == recordings.Failed {
			row.Unavailable = "cannot be played"
		}
	}
	return row
}

// act sets what the row's last button does.
func (s *Store) act(row *ui.Sound, r recordings.Recording, p price, actor access.Actor, license int64, inCart string) {
	switch {
	case r.State != recordings.Published || r.OwnerID == actor.ID:
	case license != 0:
		row.Action, row.ActionURL = ui.ActionOwned, fmt.Sprintf("/library/%d/download", license)
	case p.FreeCode != "" && actor.SignedIn():
		row.Action, row.ActionURL, row.ActionPost = ui.ActionDownload, fmt.Sprintf("/recordings/%d/free", r.ID), true
	case p.FreeCode != "":
		row.Action, row.ActionURL = ui.ActionDownload, fmt.Sprintf("/sign-in?next=/recordings/%d", r.ID)
	case inCart != "":
		row.Action = ui.ActionInCart
	case p.Model != "":
		row.Action = ui.ActionCart
	}
}

// Gain is how many dB the player adds so that previews sound equally loud, without passing the peak limit.
func Gain(r recordings.Recording) float64 {
	lufs, peak := r.LUFS, r.TruePeak
	if r.PreviewLUFS != nil {
		lufs, peak = r.PreviewLUFS, r.PreviewTruePeak
	}
	if lufs == nil {
		return 0
	}
	gain := targetLUFS - *lufs
	if r.Channels == 1 { // measured as one loudspeaker, heard from two
		gain -= 10 * math.Log10(2)
	}
	if peak != nil {
		gain = min(gain, peakLimit-*peak)
	}
	return math.Round(max(leastLift, min(mostLift, gain))*10) / 10
}

// ShortKey writes "C# minor" as "C♯ min" and "A major" as "A".
func ShortKey(key string) string {
	key = strings.ReplaceAll(strings.ReplaceAll(key, "#", "♯"), "b ", "♭ ")
	if root, ok := strings.CutSuffix(key, " major"); ok {
		return root
	}
	return strings.Replace(key, " minor", " min", 1)
}

// shortLicense is a free license's name in a row.
func shortLicense(code string) string {
	switch code {
	case "cc0":
		return "CC0"
	case "mit":
		return "MIT"
	case "public-domain":
		return "Public domain"
	}
	if rest, ok := strings.CutPrefix(code, "cc-"); ok {
		name, _, _ := strings.Cut(strings.ToUpper(rest), "-4")
		name, _, _ = strings.Cut(name, "-3")
		return "CC " + name
	}
	return code
}

func (s *Store) prices(ctx context.Context, ids []int64) (map[int64]price, error) {
	in, args := db.In(1, ids)
	rows, err := db.Query[price](ctx, s.DB, `SELECT recording_id, free_code, min_price_minor, currency, min_model_code, min_model_name FROM recording_price WHERE recording_id IN (`+in+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	out := map[int64]price{}
	for _, r := range rows {
		out[r.RecordingID] = r
	}
	return out, nil
}
