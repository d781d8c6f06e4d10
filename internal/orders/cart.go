package orders

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/licensing"
	"audiomicro/internal/money"
	"audiomicro/internal/web"
)

// Shopper is whose cart is meant: an account's, or a browser's by its token.
type Shopper struct {
	Account int64
	Token   string
}

// maxLines is how many licenses a cart holds.
const maxLines = 100

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte("cart " + token))
	return hex.EncodeToString(sum[:])
}

// Item is one line of a cart as it stands now.
type Item struct {
	ID        int64
	Recording licensing.Recording
	Offers    []licensing.Offered // what could be chosen
	Chosen    licensing.Offered   // zero when Problem says that it cannot be had
	Code      string              // model in the cart
	Seen      money.Amount        // the price the buyer saw last
	Price     money.Amount        // the price now; zero with a Problem
	Stale     string              // how the price changed since it was seen, or empty
	Problem   string              // why it cannot be bought, or empty
	Note      string              // worth knowing: the same license is held already
}

// Cart is what a shopper wants to buy.
type Cart struct {
	Items    []Item
	Subtotal money.Amount // of the items without a problem
}

// Problem is the first reason why the cart cannot be ordered as it stands, or empty.
func (c Cart) Problem() string {
	for _, it := range c.Items {
		if it.Problem != "" {
			return it.Problem
		}
	}
	return ""
}

type cartLine struct {
	ID        int64  `db:"id"`
	Recording int64  `db:"recording_id"`
	Code      string `db:"model_code"`
	Price     int64  `db:"price_minor"`
	Currency  string `db:"currency"`
}

const cartLines = `SELECT l.id, l.recording_id, l.model_code, l.price_minor, l.currency FROM cart_line l JOIN cart c ON c.id = l.cart_id
	WHERE c.account_id = $1 OR c.token_hash = $2 ORDER BY l.added_at, l.id`

func (w Shopper) key() (account any, hash any) {
	if w.Account != 0 {
		return w.Account, nil
	}
	if w.Token != "" {
		return nil, tokenHash(w.Token)
	}
	return nil, nil
}

// Cart reads a shopper's cart with today's prices.
func (s *Store) Cart(ctx context.Context, q db.Querier, who Shopper) (Cart, error) {
	account, hash := who.key()
	lines, err := db.Query[cartLine](ctx, q, cartLines, account, hash)
	if err != nil {
		return Cart{}, fmt.Errorf("read cart: %w", err)
	}
	cart := Cart{Subtotal: money.Of(0, s.Currency)}
	for _, l := range lines {
		it, err := s.item(ctx, q, who, l)
		if err != nil {
			return Cart{}, err
		}
		if it.Problem == "" {
			if cart.Subtotal, err = cart.Subtotal.Add(it.Price); err != nil {
				return Cart{}, fmt.Errorf("add up cart: %w", err)
			}
		}
		cart.Items = append(cart.Items, it)
	}
	return cart, nil
}

// item looks at one line: is it still for sale, and for how much.
func (s *Store) item(ctx context.Context, q db.Querier, who Shopper, l cartLine) (Item, error) {
	it := Item{ID: l.ID, Code: l.Code, Seen: money.Of(l.Price, l.Currency)}
	rec, err := s.recording(ctx, q, l.Recording)
	if errors.Is(err, db.ErrNotFound) {
		it.Recording = licensing.Recording{ID: l.Recording, Title: "A recording that is gone"}
		it.Problem = "A recording in your cart no longer exists. Remove it to go on."
		return it, nil
	}
	if err != nil {
		return it, err
	}
	it.Recording = rec
	offers, err := s.Licensing.Offers(ctx, q, rec.ID)
	if err != nil {
		return it, err
	}
	for _, o := range offers {
		if !o.Model.IsFree() && o.OnSale() {
			it.Offers = append(it.Offers, o)
		}
	}
	if it.Problem, err = s.mayBuy(ctx, q, who, rec); err != nil || it.Problem != "" {
		return it, err
	}
	it.Chosen, err = s.Licensing.ForSale(ctx, q, rec.ID, l.Code)
	var public *web.Public
	switch {
	case errors.As(err, &public):
		it.Problem = fmt.Sprintf("%s: %s", rec.Title, public.Text)
		return it, nil
	case err != nil:
		return it, err
	}
	it.Price = it.Chosen.Price
	if it.Price != it.Seen {
		verb := "rose"
		if it.Price.Minor < it.Seen.Minor {
			verb = "fell"
		}
		it.Stale = fmt.Sprintf("The price %s from %s to %s.", verb, it.Seen, it.Price)
	}
	if who.Account != 0 {
		held, err := s.Licensing.LicenseFor(ctx, q, who.Account, rec.ID)
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return it, err
		}
		if err == nil && held.ModelCode == l.Code {
			it.Note = "You hold this license already, for the project " + held.Project + ". Another project needs its own."
		}
	}
	return it, nil
}

// mayBuy says why a shopper cannot buy a recording, or nothing.
func (s *Store) mayBuy(_ context.Context, _ db.Querier, who Shopper, rec licensing.Recording) (string, error) {
	switch {
	case !rec.Published:
		return fmt.Sprintf("%q is not published any more. Remove it to go on.", rec.Title), nil
	case who.Account != 0 && rec.OwnerID == who.Account:
		return fmt.Sprintf("%q is your own recording: you need no license for it.", rec.Title), nil
	}
	return "", nil
}

// Add puts a license for a recording into the cart; another model of the same recording replaces the one before.
func (s *Store) Add(ctx context.Context, who Shopper, recordingID int64, code string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		rec, err := s.recording(ctx, tx, recordingID)
		if err != nil {
			return fmt.Errorf("add recording %d to cart: %w", recordingID, err)
		}
		if why, err := s.mayBuy(ctx, tx, who, rec); err != nil || why != "" {
			if err == nil {
				err = conflict("%s", why)
			}
			return err
		}
		offer, err := s.Licensing.ForSale(ctx, tx, recordingID, code)
		if err != nil {
			return err
		}
		if offer.Model.IsFree() {
			return conflict("%s is free: download it from its page, no cart needed.", offer.Model.Name)
		}
		return s.put(ctx, tx, who, recordingID, code, offer.Price)
	})
}

// put writes a line into the shopper's cart, opening the cart if need be.
func (s *Store) put(ctx context.Context, tx *db.Tx, who Shopper, recordingID int64, code string, price money.Amount) error {
	cartID, err := s.openCart(ctx, tx, who)
	if err != nil {
		return err
	}
	n, err := db.Get[int64](ctx, tx, `SELECT count(*) FROM cart_line WHERE cart_id = $1 AND recording_id <> $2`, cartID, recordingID)
	if err != nil {
		return fmt.Errorf("count cart: %w", err)
	}
	if n >= maxLines {
		return conflict("A cart holds %d licenses. Order these first.", maxLines)
	}
	id, err := tx.NewID(ctx, "cart_line")
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `INSERT INTO cart_line (id, cart_id, recording_id, model_code, price_minor, currency, added_at) VALUES ($1,$2,$3,$4,$5,$6,$7)
		ON CONFLICT (cart_id, recording_id) DO UPDATE SET model_code = excluded.model_code, price_minor = excluded.price_minor, currency = excluded.currency`,
		id, cartID, recordingID, code, price.Minor, price.Currency, s.now())
	if err != nil {
		return fmt.Errorf("add recording %d to cart: %w", recordingID, err)
	}
	return nil
}

func (s *Store) openCart(ctx context.Context, tx *db.Tx, who Shopper) (int64, error) {
	account, hash := who.key()
	if account == nil && hash == nil {
		return 0, errors.New("open cart: nobody's")
	}
	id, err := tx.NewID(ctx, "cart")
	if err != nil {
		return 0, err
	}
	if _, err := db.Exec(ctx, tx, `INSERT INTO cart (id, account_id, token_hash, created_at, updated_at) VALUES ($1,$2,$3,$4,$4) ON CONFLICT DO NOTHING`, id, account, hash, s.now()); err != nil {
		return 0, fmt.Errorf("open cart: %w", err)
	}
	id, err = db.Get[int64](ctx, tx, `SELECT id FROM cart WHERE account_id = $1 OR token_hash = $2`, account, hash)
	if err != nil {
		return 0, fmt.Errorf("open cart: %w", err)
	}
	if _, err := db.Exec(ctx, tx, `UPDATE cart SET updated_at = $2 WHERE id = $1`, id, s.now()); err != nil {
		return 0, fmt.Errorf("open cart: %w", err)
	}
	return id, nil
}

// ownLine finds the recording and model of a line of the shopper's cart.
func (s *Store) ownLine(ctx context.Context, tx *db.Tx, who Shopper, line int64) (cartLine, error) {
	account, hash := who.key()
	l, err := db.Get[cartLine](ctx, tx, `SELECT l.id, l.recording_id, l.model_code, l.price_minor, l.currency FROM cart_line l JOIN cart c ON c.id = l.cart_id
		WHERE l.id = $3 AND (c.account_id = $1 OR c.token_hash = $2)`, account, hash, line)
	if err != nil {
		return l, fmt.Errorf("find cart line %d: %w", line, err)
	}
	return l, nil
}

// Choose changes the license of a line of the cart.
func (s *Store) Choose(ctx context.Context, who Shopper, line int64, code string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		l, err := s.ownLine(ctx, tx, who, line)
		if err != nil {
			return err
		}
		offer, err := s.Licensing.ForSale(ctx, tx, l.Recording, code)
		if err != nil {
			return err
		}
		if offer.Model.IsFree() {
			return conflict("%s is free: download it from its page, no cart needed.", offer.Model.Name)
		}
		return s.put(ctx, tx, who, l.Recording, code, offer.Price)
	})
}

// Remove takes a line out of the cart. One that is not there is no error.
func (s *Store) Remove(ctx context.Context, who Shopper, line int64) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		l, err := s.ownLine(ctx, tx, who, line)
		if errors.Is(err, db.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = db.Exec(ctx, tx, `DELETE FROM cart_line WHERE id = $1`, l.ID)
		return err
	})
}

// Saw notes that the buyer was shown today's prices.
func (s *Store) Saw(ctx context.Context, who Shopper) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		cart, err := s.Cart(ctx, tx, who)
		if err != nil {
			return err
		}
		for _, it := range cart.Items {
			if it.Stale == "" {
				continue
			}
			if _, err := db.Exec(ctx, tx, `UPDATE cart_line SET price_minor = $2, currency = $3 WHERE id = $1`, it.ID, it.Price.Minor, it.Price.Currency); err != nil {
				return fmt.Errorf("note prices seen: %w", err)
			}
		}
		return nil
	})
}

// Count is how many licenses a shopper's cart holds.
func (s *Store) Count(ctx context.Context, who Shopper) (int, error) {
	account, hash := who.key()
	if account == nil && hash == nil {
		return 0, nil
	}
	n, err := db.Get[int64](ctx, s.DB, `SELECT count(*) FROM cart_line l JOIN cart c ON c.id = l.cart_id WHERE c.account_id = $1 OR c.token_hash = $2`, account, hash)
	if err != nil {
		return 0, fmt.Errorf("count cart: %w", err)
	}
	return int(n), nil
}

// Holds lists the recordings in a shopper's cart with the model chosen for each.
func (s *Store) Holds(ctx context.Context, who Shopper) (map[int64]string, error) {
	out := map[int64]string{}
	account, hash := who.key()
	if account == nil && hash == nil {
		return out, nil
	}
	lines, err := db.Query[cartLine](ctx, s.DB, cartLines, account, hash)
	if err != nil {
		return nil, fmt.Errorf("read cart: %w", err)
	}
	for _, l := range lines {
		out[l.Recording] = l.Code
	}
	return out, nil
}

// Merge moves a browser's cart into an account's at sign-in. What the account's cart holds already stays as it is; the
// account's own recordings and what is over the limit are left out. The browser's cart is gone afterwards.
func (s *Store) Merge(ctx context.Context, token string, accountID int64) error {
	if token == "" || accountID == 0 {
		return nil
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		guest, err := db.Get[int64](ctx, tx, `SELECT id FROM cart WHERE token_hash = $1`, tokenHash(token))
		if errors.Is(err, db.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("merge cart: %w", err)
		}
		lines, err := db.Query[cartLine](ctx, tx, `SELECT id, recording_id, model_code, price_minor, currency FROM cart_line WHERE cart_id = $1 ORDER BY added_at, id`, guest)
		if err != nil {
			return fmt.Errorf("merge cart: %w", err)
		}
		who := Shopper{Account: accountID}
		mine, err := db.Query[cartLine](ctx, tx, cartLines, accountID, nil)
		if err != nil {
			return fmt.Errorf("merge cart: %w", err)
		}
		held := map[int64]bool{}
		for _, l := range mine {
			held[l.Recording] = true
		}
		for _, l := range lines {
			rec, err := s.recording(ctx, tx, l.Recording)
			if errors.Is(err, db.ErrNotFound) || err == nil && (rec.OwnerID == accountID || held[l.Recording] || len(held) >= maxLines) {
				continue
			}
			if err != nil {
				return err
			}
			held[l.Recording] = true
			if err := s.put(ctx, tx, who, l.Recording, l.Code, money.Of(l.Price, l.Currency)); err != nil {
				return err
			}
		}
		return s.dropCart(ctx, tx, guest)
	})
}

func (s *Store) dropCart(ctx context.Context, tx *db.Tx, id int64) error {
	if _, err := db.Exec(ctx, tx, `DELETE FROM cart_line WHERE cart_id = $1`, id); err != nil {
		return fmt.Errorf("drop cart %d: %w", id, err)
	}
	if _, err := db.Exec(ctx, tx, `DELETE FROM cart WHERE id = $1`, id); err != nil {
		return fmt.Errorf("drop cart %d: %w", id, err)
	}
	return nil
}

// guestCartLife is how long a browser's cart is kept after its last change.
const guestCartLife = 30 * 24 * time.Hour

// Sweep drops guests' carts that nobody touched for 30 days and lets orders expire that nobody paid: 3 days after they were
// placed, 30 days for invoices. app runs it every hour.
func (s *Store) Sweep(ctx context.Context) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		old, err := db.Query[int64](ctx, tx, `SELECT id FROM cart WHERE account_id IS NULL AND updated_at < $1 ORDER BY updated_at LIMIT 1000`, s.Now().Add(-guestCartLife).UnixMicro())
		if err != nil {
			return fmt.Errorf("sweep carts: %w", err)
		}
		for _, id := range old {
			if err := s.dropCart(ctx, tx, id); err != nil {
				return err
			}
		}
		_, err = db.Exec(ctx, tx, `UPDATE orders SET state = 'expired', updated_at = $1 WHERE state IN ('draft', 'pending', 'failed')
			AND placed_at < CASE WHEN provider = 'manual' THEN CAST($2 AS BIGINT) ELSE CAST($3 AS BIGINT) END`,
			s.now(), s.Now().Add(-30*24*time.Hour).UnixMicro(), s.Now().Add(-3*24*time.Hour).UnixMicro())
		if err != nil {
			return fmt.Errorf("sweep orders: %w", err)
		}
		return nil
	})
}

// emptyCart refuses an order of nothing.
func emptyCart() error {
	return web.Refuse(http.StatusConflict, "Your cart is empty. Nothing was ordered.")
}
