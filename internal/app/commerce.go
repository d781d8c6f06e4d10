package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/jobs"
	"audiomicro/internal/ledger"
	"audiomicro/internal/listening"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
)

// wireCommerce makes the book, the providers and the orders. The test provider is there in dev mode only.
func (a *App) wireCommerce(ctx context.Context) error {
	c := a.Config
	a.Ledger = &ledger.Store{DB: a.DB, Now: a.Now, Currency: c.Currency, Site: a.Site, Title: func(ctx context.Context, id int64) (string, error) {
		rec, err := a.Recordings.ByID(ctx, a.DB, id)
		return rec.Title, err
	}}
	a.Payments = &payments.Store{DB: a.DB, Now: a.Now, Providers: []payments.Provider{payments.Manual{}}, Raise: a.Jobs.Raise, Site: a.Site, Log: a.Log}
	if c.Dev {
		secret, err := fact(ctx, a.DB, a.Now(), "test payments", 32)
		if err != nil {
			return err
		}
		key, err := hex.DecodeString(secret)
		if err != nil {
			return fmt.Errorf("this instance's secret of test payments: %w", err)
		}
		test := &payments.Test{DB: a.DB, Now: a.Now, Secret: key}
		test.Deliver = func(ctx context.Context, raw []byte, header http.Header) error {
			return a.Payments.Receive(ctx, payments.TestName, raw, header)
		}
		a.Payments.Providers = append(a.Payments.Providers, test)
	}
	a.Orders = &orders.Store{
		DB: a.DB, Now: a.Now, Licensing: a.Licensing, Ledger: a.Ledger, Payments: a.Payments, Blobs: a.Blobs, Site: a.Site,
		Currency: c.Currency, TaxBasis: int64(c.TaxBasis), TaxName: c.TaxName, RoyaltyBasis: int64(c.RoyaltyBasis), SiteURL: c.URL,
		Operator: c.Operator, Address: c.Address, BankDetail: c.BankDetail,
		Raise: a.Jobs.Raise, Letter: a.orderLetter, Rows: a.Search.Sounds, Original: a.original, Downloaded: a.downloaded,
	}
	a.Payments.Settled = a.Orders.PaymentSettled
	return nil
}

// subscribeCommerce says what the jobs of payments and orders do.
func (a *App) subscribeCommerce() {
	jobs.On(a.Jobs, "licensing.floor", jobs.Opts{}, a.tellFallen)
	jobs.On(a.Jobs, "payments.work", jobs.Opts{}, a.Payments.Work)
	jobs.On(a.Jobs, "payments.refund", jobs.Opts{}, a.Payments.SendRefund)
	a.Jobs.Every("payments.reconcile", time.Minute, jobs.Opts{Timeout: 5 * time.Minute}, func(ctx context.Context) error {
		_, err := a.Payments.Reconcile(ctx)
		return err
	})
	a.Jobs.Every("orders.sweep", time.Hour, jobs.Opts{}, a.Orders.Sweep)
}

// orderLetter gives a letter about an order its form and queues it. An account that is gone gets none: that must not hold up
// its payment.
func (a *App) orderLetter(ctx context.Context, tx *db.Tx, l orders.Letter) error {
	owner, err := a.Accounts.ByIDTx(ctx, tx, l.AccountID)
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.send(ctx, tx, l.Kind, owner.Email, owner.ID, l.Subject, l.Paragraphs, l.Button)
}

// original sends the bytes of a recording under a license and records the download.
func (a *App) original(w http.ResponseWriter, r *http.Request, recordingID, licenseID int64) error {
	rec, err := a.Recordings.ByID(r.Context(), a.DB, recordingID)
	if err != nil {
		return err
	}
	owner, err := a.Accounts.ByID(r.Context(), rec.OwnerID)
	if err != nil {
		return err
	}
	return a.Listening.Original(w, r, rec, owner.Name, licenseID, listening.ByPage)
}

// downloaded records that originals go out with their papers.
func (a *App) downloaded(ctx context.Context, account int64, list ...orders.Taken) error {
	return a.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, l := range list {
			rec, err := a.Recordings.ByID(ctx, tx, l.Recording)
			if err == nil {
				err = a.Listening.Record(ctx, tx, rec, account, l.License, listening.ByZip)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// inCart lists what the cart of ctx's request holds: recording to license model.
func (a *App) inCart(ctx context.Context) (map[int64]string, error) { return a.Orders.Current(ctx) }
