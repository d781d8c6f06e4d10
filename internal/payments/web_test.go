package payments_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"audiomicro/internal/config"
	"audiomicro/internal/db"
	"audiomicro/internal/money"
	"audiomicro/internal/payments"
	"audiomicro/internal/testkit"
)

// TestWebhookOverHTTP sends messages as a provider would: from another site, without cookies.
func TestWebhookOverHTTP(t *testing.T) {
	t.Parallel()
	site := testkit.NewSite(t, db.SQLite, nil)
	provider, err := site.Payments.Provider(payments.TestName)
	if err != nil {
		t.Fatal(err)
	}
	raw, header, err := provider.(*payments.Test).Message("evt_1", "unknown", payments.Paid, money.Of(100, "USD"))
	if err != nil {
		t.Fatal(err)
	}
	header.Set("Content-Type", "application/json")
	header.Set("Sec-Fetch-Site", "cross-site")
	header.Set("Origin", "https://provider.example")
	unsigned := header.Clone()
	unsigned.Del(payments.TestSignature)
	for _, c := range []struct {
		name, path string
		header     http.Header
		body       []byte
		status     int
	}{
		{"signed", "/payments/webhook/test", header, raw, http.StatusOK},
		{"again", "/payments/webhook/test", header, raw, http.StatusOK},
		{"unsigned", "/payments/webhook/test", unsigned, raw, http.StatusBadRequest},
		{"changed", "/payments/webhook/test", header, append(bytes.Clone(raw), ' '), http.StatusBadRequest},
		{"manual sends none", "/payments/webhook/manual", header, raw, http.StatusNotFound},
		{"nobody", "/payments/webhook/nobody", header, raw, http.StatusNotFound},
		{"two megabytes", "/payments/webhook/test", header, make([]byte, 2<<20), http.StatusRequestEntityTooLarge},
	} {
		res := site.Visitor().Do(http.MethodPost, c.path, c.header, bytes.NewReader(c.body))
		if res.Status != c.status || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %s, want %d", c.name, res.Status, res.Text, c.status)
		}
	}
	testkit.Eventually(t, "the event is worked once", func() bool {
		outcomes, err := db.Query[string](context.Background(), site.DB, `SELECT outcome FROM payment_event WHERE processed_at IS NOT NULL`)
		return err == nil && len(outcomes) == 1 && outcomes[0] == "no payment of ours"
	})
}

// TestNoTestProviderOutsideDev: plain serve has neither the provider nor its page.
func TestNoTestProviderOutsideDev(t *testing.T) {
	t.Parallel()
	site := testkit.NewSite(t, db.SQLite, func(c *config.Config) { c.Dev = false })
	if _, err := site.Payments.Provider(payments.TestName); err == nil {
		t.Error("the test provider is there")
	}
	if res := site.Visitor().Get("/payments/test/x"); res.Status != http.StatusNotFound {
		t.Errorf("its page answers %d", res.Status)
	}
}
