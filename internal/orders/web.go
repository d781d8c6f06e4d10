package orders

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"audiomicro/internal/access"
	"audiomicro/internal/licensing"
	"audiomicro/internal/web"
	"audiomicro/internal/web/ui"
)

// Routes lists this domain's routes.
func (s *Store) Routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /cart", Action: access.FillCart, Handle: s.cartPage},
		{Pattern: "POST /cart", Action: access.FillCart, Handle: s.cartAdd},
		{Pattern: "POST /cart/update", Action: access.FillCart, Handle: s.cartUpdate},
		{Pattern: "POST /cart/remove", Action: access.FillCart, Handle: s.cartRemove},
		{Pattern: "GET /checkout", Action: access.Buy, Handle: s.checkoutPage},
		{Pattern: "POST /checkout", Action: access.Buy, Handle: s.checkout},
		{Pattern: "GET /orders", Action: access.UseAccount, Handle: s.ordersPage},
		{Pattern: "GET /orders/{id}", Action: access.UseAccount, Handle: s.orderPage},
		{Pattern: "GET /orders/{id}/returned", Action: access.UseAccount, Handle: s.returned},
		{Pattern: "GET /orders/{id}/invoice", Action: access.UseAccount, Handle: s.invoicePage},
		{Pattern: "POST /orders/{id}/pay", Action: access.Buy, Handle: s.payOrder},
		{Pattern: "POST /orders/{id}/cancel", Action: access.Buy, Handle: s.cancelOrder},
		{Pattern: "GET /library", Action: access.UseAccount, Handle: s.libraryPage},
		{Pattern: "POST /recordings/{id}/free", Action: access.UseAccount, Handle: s.takeFree},
		{Pattern: "GET /library/{license}/download", Action: access.DownloadFile, Handle: s.downloadZip, Stream: true},
		{Pattern: "GET /library/{license}/original", Action: access.DownloadFile, Handle: s.downloadOriginal, Stream: true},
		{Pattern: "GET /admin/orders", Action: access.Administer, Handle: s.adminOrders},
		{Pattern: "GET /admin/orders/{id}", Action: access.Administer, Handle: s.adminOrder},
		{Pattern: "POST /admin/orders/{id}", Action: access.Administer, Handle: s.adminAct},
	}
}

// cookieName of a guest's cart; the prefix makes browsers insist on https and this host (RFC 6265bis §4.1.3.2).
func (s *Store) cookieName() string {
	if s.Site.Secure {
		return "__Host-" + cartCookie
	}
	return cartCookie
}

const cartCookie = "am_cart"

// guestCarts bounds what visitors write without an account.
var guestCarts = web.Limit{Name: "cart by address", Burst: 60, Per: 10 * time.Minute}

func (s *Store) setCookie(w http.ResponseWriter, token string, age time.Duration) {
	seconds := int(age / time.Second)
	if age <= 0 {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: token, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: s.Site.Secure, SameSite: http.SameSiteLaxMode})
}

func (s *Store) randomText() (string, error) {
	random := s.Random
	if random == nil {
		random = rand.Reader
	}
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw random: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])), nil
}

// Shopper tells whose cart a request means. A signed-in person's is the account's, also where a guest's cookie is left.
func (s *Store) Shopper(r *http.Request) Shopper {
	if a := access.From(r.Context()); a.SignedIn() {
		return Shopper{Account: a.ID}
	}
	if c, err := r.Cookie(s.cookieName()); err == nil && len(c.Value) <= 64 {
		return Shopper{Token: c.Value}
	}
	return Shopper{}
}

type tokenKey struct{}

// Remember puts a guest's cart token into the context of every request, so that rows far from any cookie can tell what is in
// the cart.
func (s *Store) Remember(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie(s.cookieName()); err == nil && c.Value != "" && len(c.Value) <= 64 {
			r = r.WithContext(context.WithValue(r.Context(), tokenKey{}, c.Value))
		}
		next.ServeHTTP(w, r)
	})
}

// Current lists what the cart of a request's context holds: recording to license model.
func (s *Store) Current(ctx context.Context) (map[int64]string, error) {
	who := Shopper{Account: access.From(ctx).ID}
	if who.Account == 0 {
		who.Token, _ = ctx.Value(tokenKey{}).(string)
	}
	return s.Holds(ctx, who)
}

// arrive is Shopper for pages: a guest's cart is merged into the account's when its owner has signed in meanwhile.
func (s *Store) arrive(w http.ResponseWriter, r *http.Request) (Shopper, error) {
	who := s.Shopper(r)
	if who.Account != 0 {
		if c, err := r.Cookie(s.cookieName()); err == nil && c.Value != "" && len(c.Value) <= 64 {
			if err := s.Merge(r.Context(), c.Value, who.Account); err != nil {
				return who, err
			}
			s.setCookie(w, "", 0)
		}
	}
	return who, nil
}

// CartCount is the figure on the cart in every page's head. A guest's cart that waits to be merged counts too.
func (s *Store) CartCount(r *http.Request) (int, error) {
	who := s.Shopper(r)
	n, err := s.Count(r.Context(), who)
	if err != nil || who.Account == 0 {
		return n, err
	}
	if c, cookieErr := r.Cookie(s.cookieName()); cookieErr == nil && c.Value != "" && len(c.Value) <= 64 {
		guest, err := s.Count(r.Context(), Shopper{Token: c.Value})
		return n + guest, err
	}
	return n, nil
}

// drawings are rows by recording.
type drawings map[int64]ui.Sound

// draw reads the rows of recordings at once.
func (s *Store) draw(ctx context.Context, ids []int64) (drawings, error) {
	out := drawings{}
	if s.Rows == nil || len(ids) == 0 {
		return out, nil
	}
	rows, err := s.Rows(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, nil
}

// of is a recording's row; one that was left out (not public any more, or gone) is drawn without a player.
func (d drawings) of(r licensing.Recording) ui.Sound {
	if row, ok := d[r.ID]; ok {
		return row
	}
	return ui.Sound{ID: r.ID, URL: fmt.Sprintf("/recordings/%d", r.ID), Title: r.Title, Contributor: r.Contributor, ContributorURL: "/people/" + r.Contributor, Bars: r.Bars, Seconds: r.Seconds,
		Unavailable: "not public"}
}

// people says who gets how much of a total.
func (s *Store) people(q Quote) string {
	switch {
	case q.People == 0:
		return ""
	case q.People == 1 && len(q.Cart.Items) == 1:
		return fmt.Sprintf("%s of this goes to the person who made the sound.", q.Royalty.Exact())
	case q.People == 1:
		return fmt.Sprintf("%s of this goes to the person who made the sounds.", q.Royalty.Exact())
	}
	return fmt.Sprintf("%s of this goes to the %d people who made the sounds.", q.Royalty.Exact(), q.People)
}

// items turns a cart into the lines of a page.
func (s *Store) items(ctx context.Context, cart Cart) ([]ui.CartLine, error) {
	ids := make([]int64, len(cart.Items))
	for i, it := range cart.Items {
		ids[i] = it.Recording.ID
	}
	rows, err := s.draw(ctx, ids)
	if err != nil {
		return nil, err
	}
	lines := make([]ui.CartLine, len(cart.Items))
	for i, it := range cart.Items {
		l := ui.CartLine{ID: fmt.Sprint(it.ID), Sound: rows.of(it.Recording), Price: it.Price.Exact()}
		listed := false
		for _, o := range it.Offers {
			l.Models = append(l.Models, ui.Option{Value: o.Model.Code, Label: o.Model.Name + ", " + o.Price.String(), Selected: o.Model.Code == it.Code})
			listed = listed || o.Model.Code == it.Code
		}
		if !listed {
			l.Models = append(l.Models, ui.Option{Value: it.Code, Label: "No longer offered", Selected: true})
		}
		switch {
		case it.Problem != "":
			l.Stale, l.Price = it.Problem, ""
		case it.Stale != "":
			l.Stale = it.Stale
		default:
			l.Stale = it.Note
		}
		lines[i] = l
	}
	return lines, nil
}

func (s *Store) cartPage(w http.ResponseWriter, r *http.Request) error {
	who, err := s.arrive(w, r)
	if err != nil {
		return err
	}
	cart, err := s.Cart(r.Context(), s.DB, who)
	if err != nil {
		return err
	}
	quote, err := s.Quote(cart)
	if err != nil {
		return err
	}
	lines, err := s.items(r.Context(), cart)
	if err != nil {
		return err
	}
	p := ui.CartPage{Lines: lines, Subtotal: cart.Subtotal.Exact(), Next: ui.Link{Text: "Go to checkout", URL: "/checkout"}, Royalty: s.people(quote)}
	if who.Account == 0 {
		p.Next = ui.Link{Text: "Sign in and go to checkout", URL: "/sign-in?next=%2Fcheckout"}
	}
	if why := cart.Problem(); why != "" {
		p.Note = &ui.Note{Tone: ui.ToneWarn, Text: why}
	}
	return s.Site.Page(w, r, web.View{Title: "Cart", Edit: noIndex}, ui.Cart(p))
}

func noIndex(f *ui.Frame) { f.NoIndex = true }

// formID reads a positive id from a form field.
func formID(r *http.Request, name string) (int64, error) {
	var id int64
	text := r.PostForm.Get(name)
	if _, err := fmt.Sscanf(text, "%d", &id); err != nil || id <= 0 || fmt.Sprint(id) != text {
		return 0, web.Refuse(http.StatusUnprocessableEntity, "The form cannot be read. Go back and send it again.")
	}
	return id, nil
}

// Begin is whose cart a request fills; a guest without one gets the cookie of a new one.
func (s *Store) Begin(w http.ResponseWriter, r *http.Request) (Shopper, error) {
	who, err := s.arrive(w, r)
	if err != nil || who.Account != 0 {
		return who, err
	}
	if err := s.Site.Limits.Take(guestCarts, web.IPKey(s.Site.ClientIP(r)), s.Now()); err != nil {
		return who, err
	}
	if who.Token == "" {
		if who.Token, err = s.randomText(); err != nil {
			return who, err
		}
	}
	s.setCookie(w, who.Token, guestCartLife)
	return who, nil
}

func (s *Store) cartAdd(w http.ResponseWriter, r *http.Request) error {
	if err := web.ParseForm(w, r, 10_000); err != nil {
		return err
	}
	recording, err := formID(r, "recording")
	if err != nil {
		return err
	}
	who, err := s.Begin(w, r)
	if err != nil {
		return err
	}
	if err := s.Add(r.Context(), who, recording, r.PostForm.Get("model")); err != nil {
		return err
	}
	web.Notify(w, s.Site.Secure, "The license is in your cart.")
	return web.See(w, r, "/cart")
}

func (s *Store) cartUpdate(w http.ResponseWriter, r *http.Request) error {
	return s.cartChange(w, r, func(who Shopper, line int64) error {
		return s.Choose(r.Context(), who, line, r.PostForm.Get("model"))
	})
}

func (s *Store) cartRemove(w http.ResponseWriter, r *http.Request) error {
	return s.cartChange(w, r, func(who Shopper, line int64) error { return s.Remove(r.Context(), who, line) })
}

func (s *Store) cartChange(w http.ResponseWriter, r *http.Request, change func(who Shopper, line int64) error) error {
	if err := web.ParseForm(w, r, 10_000); err != nil {
		return err
	}
	line, err := formID(r, "line")
	if err != nil {
		return err
	}
	who, err := s.arrive(w, r)
	if err != nil {
		return err
	}
	if err := change(who, line); err != nil {
		return err
	}
	return web.See(w, r, "/cart")
}
