package app_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"audiomicro/internal/testkit"
)

// TestOddAddresses puts bytes that are no text, and names that mean something elsewhere, in place of every name and id of
// every route, and into questions: the site refuses, and never fails. PostgreSQL takes neither NUL nor broken UTF-8.
func TestOddAddresses(t *testing.T) {
	testkit.EachSite(t, nil, func(t *testing.T, s *testkit.Site) {
		admin := s.Person("Ada", "admin")
		names := regexp.MustCompile(`\{[^}$]+\}`)
		asked := 0
		for _, rt := range s.Site.Routes() {
			method, pattern, _ := strings.Cut(rt.Pattern, " ")
			pattern = strings.TrimSuffix(pattern, "{$}")
			ask := func(address string) {
				asked++
				got := admin.Do(method, address, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}, strings.NewReader(""))
				if got.Status >= http.StatusInternalServerError {
					t.Errorf("%s %s: %d", method, address, got.Status)
				}
			}
			if method == http.MethodGet && !rt.Stream && !names.MatchString(pattern) {
				for _, query := range []string{"q=%00&state=%00&next=%00&after=%ff", "ids=%00,1&page=-1&sort=%ff", "page=99999999999999999999&month=%00&version=%00"} {
					ask(pattern + "?" + query)
				}
			}
			if method != http.MethodGet && method != http.MethodPost || !names.MatchString(pattern) {
				continue
			}
			for _, odd := range []string{"%00", "a%00b", "%ff%fe", "..%2f..%2fetc%2fpasswd", "%e2%80%ae", "9223372036854775808", "-1", "%0d%0aX:%20y"} {
				ask(names.ReplaceAllString(pattern, odd))
			}
		}
		if asked < 100 {
			t.Fatalf("only %d addresses were asked", asked)
		}
	})
}
