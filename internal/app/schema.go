// Package app is the only package that knows every domain: it opens what the settings name, wires events, and mounts routes.
package app

import (
	"context"
	"io/fs"

	"audiomicro/internal/accounts"
	"audiomicro/internal/collections"
	"audiomicro/internal/db"
	"audiomicro/internal/feed"
	"audiomicro/internal/jobs"
	"audiomicro/internal/ledger"
	"audiomicro/internal/licensing"
	"audiomicro/internal/listening"
	"audiomicro/internal/mail"
	"audiomicro/internal/moderation"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
	"audiomicro/internal/people"
	"audiomicro/internal/reactions"
	"audiomicro/internal/recordings"
	"audiomicro/internal/search"
	"audiomicro/internal/uploads"
)

// Schemas lists every package's migrations.
func Schemas() []fs.FS {
	return []fs.FS{
		db.Schema(), feed.Schema(), jobs.Schema(), mail.Schema(), accounts.Schema(), people.Schema(), recordings.Schema(), uploads.Schema(),
		listening.Schema(), moderation.Schema(), licensing.Schema(), ledger.Schema(), orders.Schema(), payments.Schema(), search.Schema(),
		reactions.Schema(), collections.Schema(),
	}
}

// Migrate brings a database up to this program's schema.
func Migrate(ctx context.Context, d *db.DB) error {
	if err := d.Migrate(ctx, Schemas()); err != nil {
		return err
	}
	return jobs.Migrate(ctx, d)
}
