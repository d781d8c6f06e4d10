package payments

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
	"audiomicro/internal/web"
)

// Receive takes a webhook: it checks the signature, stores every event as it came and has a job work it. An event received
// before is nothing new.
func (s *Store) Receive(ctx context.Context, providerName string, raw []byte, header http.Header) error {
	provider, err := s.Provider(providerName)
	if err != nil {
		return web.NotFound()
	}
	events, err := provider.ParseWebhook(raw, header)
	switch {
	case errors.Is(err, ErrNoWebhook):
		return web.NotFound()
	case err != nil:
		return &web.Public{Status: http.StatusBadRequest, Text: "The message is not signed by the provider, or cannot be read.", Err: err}
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, e := range events {
			id, err := tx.NewID(ctx, "payment_event")
			if err != nil {
				return err
			}
			n, err := db.Exec(ctx, tx, `INSERT INTO payment_event (id, provider, event_id, ref, state, amount_minor, currency, raw, received_at, outcome)
				VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,'') ON CONFLICT (provider, event_id) DO NOTHING`,
				id, providerName, e.ID, e.Ref, string(e.State), e.Amount.Minor, e.Amount.Currency, raw, s.Now().UnixMicro())
			if err != nil {
				return fmt.Errorf("store event %.60q of %s: %w", e.ID, providerName, err)
			}
			if n == 1 {
				if err := s.raise(ctx, tx, Told{EventID: id}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Work is the job of Told: it confirms an event with its provider and settles the payment, once.
func (s *Store) Work(ctx context.Context, told Told) error {
	type row struct {
		Provider string `db:"provider"`
		Ref      string `db:"ref"`
		Done     *int64 `db:"processed_at"`
	}
	e, err := db.Get[row](ctx, s.DB, `SELECT provider, ref, processed_at FROM payment_event WHERE id = $1`, told.EventID)
	if err != nil {
		return fmt.Errorf("work payment event %d: %w", told.EventID, err)
	}
	if e.Done != nil {
		return nil
	}
	finish := func(tx *db.Tx, outcome string) error {
		_, err := db.Exec(ctx, tx, `UPDATE payment_event SET processed_at = $2, outcome = $3 WHERE id = $1 AND processed_at IS NULL`, told.EventID, s.Now().UnixMicro(), outcome)
		if err != nil {
			return fmt.Errorf("work payment event %d: %w", told.EventID, err)
		}
		return jobs.Complete(ctx, tx)
	}
	p, err := s.Payment(ctx, s.DB, e.Ref)
	if errors.Is(err, db.ErrNotFound) || (err == nil && p.Provider != e.Provider) {
		return s.DB.Tx(ctx, func(tx *db.Tx) error { return finish(tx, "no payment of ours") })
	}
	if err != nil {
		return err
	}
	provider, err := s.Provider(e.Provider)
	if err != nil {
		return err
	}
	reading, err := provider.Look(ctx, e.Ref)
	if err == nil && reading.State == Authorized {
		reading, err = provider.Capture(ctx, e.Ref)
	}
	if err != nil {
		return fmt.Errorf("confirm payment %s: %w", e.Ref, err)
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		outcome, err := s.Settle(ctx, tx, e.Ref, reading)
		if err != nil {
			return err
		}
		return finish(tx, outcome)
	})
}

// Reconcile reads open payments of the last three days back from their providers: what was paid while no message came through
// (the program was down) settles now. It returns how many it looked at; one that fails does not hold up the others.
func (s *Store) Reconcile(ctx context.Context) (int, error) {
	refs, err := db.Query[string](ctx, s.DB, `SELECT ref FROM payment WHERE state IN ('created', 'authorized') AND provider <> $1 AND created_at > $2 ORDER BY created_at LIMIT 500`,
		ManualName, s.Now().Add(-72*time.Hour).UnixMicro())
	if err != nil {
		return 0, fmt.Errorf("reconcile payments: %w", err)
	}
	failed, first := 0, error(nil) // a provider that does not answer fails them all
	for _, ref := range refs {
		if err := s.Confirm(ctx, ref); err != nil {
			if failed++; first == nil {
				first = err
			}
		}
	}
	if failed > 1 {
		first = fmt.Errorf("%w (and %d more payments failed)", first, failed-1)
	}
	return len(refs), first
}
