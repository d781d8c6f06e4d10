package payments_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// hosted is a provider whose payment page lies on another origin.
type hosted struct {
	payments.Manual
	page string
}

func (hosted) Name() string  { return "hosted" }
func (hosted) Label() string { return "Hosted payment" }
func (h hosted) Create(_ context.Context, c payments.Charge) (payments.Started, error) {
	return payments.Started{Redirect: h.page + "/pay/" + c.Ref, ProviderRef: "h_" + c.Ref}, nil
}

// TestHostedPage buys through a provider with a page of its own elsewhere: the buyer's browser arrives there from the checkout and from
// the order, though the policy of our pages lets no form lead away.
func TestHostedPage(t *testing.T) {
	t.Parallel()
	open := testkit.Browser(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<title>Pay here</title><p>%s", r.URL.Path)
	}))
	t.Cleanup(elsewhere.Close) // not before the engines are done
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		s.Payments.Providers = append(s.Payments.Providers, hosted{page: elsewhere.URL})
		ctx, ana, ben := t.Context(), s.Person("ana", "contributor"), s.Account("ben", "member")
		err := s.DB.Tx(ctx, func(tx *db.Tx) error {
			rec, err := s.Recordings.Create(ctx, tx, recordings.Original{OwnerID: ana.ID, FileName: "bell.wav", SHA256: strings.Repeat("ab", 32), MD5: strings.Repeat("cd", 16), Container: "wav", Codec: "pcm", Ext: "wav", ByteSize: 10,
				Description: recordings.Description{Title: "Bell"}})
			if err != nil {
				return err
			}
			if _, err := s.Licensing.SetOffers(ctx, tx, rec.ID, []licensing.Offer{{Code: "standard", Price: money.Of(300, "USD")}}, false); err != nil {
				return err
			}
			// Its bytes are of no interest here: it is on sale.
			if _, err := db.Exec(ctx, tx, `UPDATE recording SET state = 'published', published_at = 1, processing = 'ready', paid = 1 WHERE id = $1`, rec.ID); err != nil {
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rec, err := s.Recordings.List(ctx, recordings.Filter{OwnerID: ana.ID})
		if err != nil || len(rec) != 1 {
			t.Fatal(rec, err)
		}
		tab := open(t)
		tab.Open(s.URL + "/sign-in")
		tab.Fill("email", ben.Email, "password", ben.Password)
		tab.Press("Sign in")
		tab.Wait(`!location.pathname.startsWith("/sign-in")`)
		if err := s.Orders.Add(ctx, orders.Shopper{Account: ben.ID}, rec[0].ID, "standard"); err != nil {
			t.Fatal(err)
		}
		tab.Open(s.URL + "/checkout")
		tab.Fill("licensee", "Ben", "project", "Game")
		tab.Choose("country", "DE")
		tab.Eval(`(document.querySelector('[name=provider][value=hosted]').checked = true)`)
		tab.Press("Pay $3.00")
		tab.Wait(fmt.Sprintf(`location.href.startsWith(%q) && document.title === "Pay here"`, elsewhere.URL+"/pay/"))

		// The buyer turns back, and pays from the order's page.
		all, err := s.Orders.OfAccount(ctx, ben.ID)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		order := fmt.Sprintf("%s/orders/%d", s.URL, all[0].ID)
		tab.Open(order)
		tab.Press("Pay $3.00")
		tab.Wait(`document.querySelector('a.btn.main[href^="` + elsewhere.URL + `"]') || document.title === "Pay here"`)
		tab.Wait(`document.title === "Pay here" || (document.querySelector('a.btn.main[href^="` + elsewhere.URL + `"]').click(), false)`)
	})
}
