package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"audiomicro/internal/licensing/certificate"
	"audiomicro/internal/testkit"
)

// TestNamesAreShownAlike gives a contributor a name to show: rows, cards, packs and credit lines say it, search finds it, and
// the address keeps the account's name. Of a suspended contributor no name and no dead link is left.
func TestNamesAreShownAlike(t *testing.T) {
	t.Parallel()
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		maker, buyer := s.Person("Maker", "contributor"), s.Person("Buyer", "member")
		rec := stock(t, maker, "Harbor at dawn", tone(t, 1), standard())
		page := fmt.Sprintf("/recordings/%d", rec.ID)
		if got := maker.Post("/settings/profile", url.Values{"display_name": {"Ilka Brandt"}}); got.Status != http.StatusSeeOther {
			t.Fatalf("profile: %d %s", got.Status, got.Text)
		}
		testkit.Eventually(t, "search finds the name that is shown", func() bool {
			return strings.Contains(buyer.Get("/search?q=brandt").Text, "Harbor at dawn")
		})
		row := `<a href="/people/Maker">Ilka Brandt</a>`
		for _, at := range []string{"/search", "/search?q=maker", "/people/Maker", page} {
			if text := buyer.Get(at).Text; !strings.Contains(text, row) || !strings.Contains(text, `data-by="Ilka Brandt"`) {
				t.Errorf("%s does not show the name in its row", at)
			}
		}
		if text := buyer.Get(page).Text; !strings.Contains(text, "Harbor at dawn by Ilka Brandt") {
			t.Error("the credit line has another name")
		}
		// One's own recording has its prices, but no button that would be refused.
		if text := maker.Get(page).Text; !strings.Contains(text, "This is your own recording") || strings.Contains(text, "data-offer-price") || strings.Contains(text, `data-act=`) {
			t.Error("the contributor is offered to buy the own recording")
		}
		license := purchase(t, buyer, rec.ID)
		held, err := s.Licensing.Held(t.Context(), s.DB, buyer.ID)
		if err != nil || len(held) != 1 || held[0].ID != license {
			t.Fatalf("licenses: %v %v", held, err)
		}
		number := certificate.Group(held[0].Number)
		if text := buyer.Get("/library").Text; !strings.Contains(text, number) || !strings.Contains(text, "Ilka Brandt") {
			t.Errorf("the library lacks %s or the name", number)
		}
		if text := buyer.Get(page).Text; !strings.Contains(text, number) || !strings.Contains(text, fmt.Sprintf(`data-act="Download" data-act-at="/library/%d/download"`, license)) {
			t.Error("the page of a licensed recording does not lead to its certificate and download")
		}
		if err := s.Accounts.Suspend(t.Context(), maker.ID); err != nil {
			t.Fatal(err)
		}
		if text := buyer.Get(page).Text; strings.Contains(text, "Ilka") || strings.Contains(text, `href="/people/"`) || strings.Contains(text, `href=""`) || !strings.Contains(text, "A former member") {
			t.Error("the page of a suspended contributor's recording keeps the name or a dead link")
		}
	})
}
