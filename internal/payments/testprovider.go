package payments

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"audiomicro/internal/db"
	"audiomicro/internal/money"
)

// TestName is the test provider's code.
const TestName = "test"

// TestSignature is the header that carries the test provider's signature: "t=UNIX_SECONDS,v1=HEX", the HMAC-SHA256 of
// "UNIX_SECONDS.BODY".
const TestSignature = "Test-Signature"

// testTolerance is how old a signed message may be.
const testTolerance = 5 * time.Minute

// Test is a payment provider for trying things out, on for instances in dev mode only. It behaves like a real one: the buyer is
// sent to a page of its own, its decisions are kept on its side (test_charge), and it tells of them by signed messages.
type Test struct {
	DB     *db.DB
	Now    func() time.Time
	Secret []byte // key of its signatures; one per process will do
	// Deliver brings a message to the webhook.
	Deliver func(ctx context.Context, raw []byte, header http.Header) error
}

// Name implements Provider.
func (*Test) Name() string { return TestName }

// Label implements Provider.
func (*Test) Label() string { return "Test payment" }

// Hint implements Provider.
func (*Test) Hint() string { return "No money moves; approve or decline on the next page" }

type testCharge struct {
	Ref       string `db:"ref"`
	Label     string `db:"label"`
	Minor     int64  `db:"amount_minor"`
	Currency  string `db:"currency"`
	State     State  `db:"state"`
	EventID   string `db:"event_id"`
	ReturnURL string `db:"return_url"`
	CreatedAt int64  `db:"created_at"`
}

func (t *Test) charge(ctx context.Context, q db.Querier, ref string) (testCharge, error) {
	c, err := db.Get[testCharge](ctx, q, `SELECT ref, label, amount_minor, currency, state, event_id, return_url, created_at FROM test_charge WHERE ref = $1`, ref)
	if err != nil {
		return c, fmt.Errorf("read test charge %.40q: %w", ref, err)
	}
	return c, nil
}

// Create implements Provider.
func (t *Test) Create(ctx context.Context, c Charge) (Started, error) {
	err := t.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `INSERT INTO test_charge (ref, label, amount_minor, currency, state, event_id, return_url, created_at)
			VALUES ($1,$2,$3,$4,'created','',$5,$6) ON CONFLICT (ref) DO NOTHING`, c.Ref, c.Label, c.Amount.Minor, c.Amount.Currency, c.ReturnURL, t.Now().UnixMicro())
		return err
	})
	if err != nil {
		return Started{}, fmt.Errorf("create test charge %s: %w", c.Ref, err)
	}
	return Started{Redirect: "/payments/test/" + c.Ref, ProviderRef: "test_" + c.Ref}, nil
}

// Look implements Provider.
func (t *Test) Look(ctx context.Context, ref string) (Reading, error) {
	c, err := t.charge(ctx, t.DB, ref)
	if err != nil {
		return Reading{}, err
	}
	return Reading{State: c.State, Amount: money.Of(c.Minor, c.Currency)}, nil
}

// Capture implements Provider: what was authorized becomes paid.
func (t *Test) Capture(ctx context.Context, ref string) (Reading, error) {
	err := t.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := db.Exec(ctx, tx, `UPDATE test_charge SET state = 'paid' WHERE ref = $1 AND state = 'authorized'`, ref)
		return err
	})
	if err != nil {
		return Reading{}, fmt.Errorf("capture test charge %s: %w", ref, err)
	}
	return t.Look(ctx, ref)
}

// Refund implements Provider.
func (t *Test) Refund(ctx context.Context, ref, key string, amount money.Amount) error {
	return t.DB.Tx(ctx, func(tx *db.Tx) error {
		c, err := t.charge(ctx, tx, ref)
		if err != nil {
			return err
		}
		if c.State != Paid || c.Currency != amount.Currency {
			return fmt.Errorf("refund %s of test charge %s, which is %s", amount, ref, c.State)
		}
		if _, err := db.Exec(ctx, tx, `INSERT INTO test_refund (refund_key, ref, amount_minor, created_at) VALUES ($1,$2,$3,$4) ON CONFLICT (refund_key) DO NOTHING`,
			key, ref, amount.Minor, t.Now().UnixMicro()); err != nil {
			return fmt.Errorf("refund test charge %s: %w", ref, err)
		}
		sent, err := db.Get[int64](ctx, tx, `SELECT CAST(SUM(amount_minor) AS BIGINT) FROM test_refund WHERE ref = $1`, ref)
		if err != nil {
			return err
		}
		if sent > c.Minor {
			return fmt.Errorf("refund %s of test charge %s: more than was paid", amount, ref)
		}
		return nil
	})
}

// Decide is the buyer's press on the provider's page. It returns where the buyer goes next. A second decision changes nothing,
// but the message is sent again, as real providers do.
func (t *Test) Decide(ctx context.Context, ref string, approve bool) (returnURL string, err error) {
	to := Failed
	if approve {
		to = Paid
	}
	var c testCharge
	err = t.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := db.Exec(ctx, tx, `UPDATE test_charge SET state = $2, event_id = $3 WHERE ref = $1 AND state = 'created'`, ref, string(to), "evt_"+ref); err != nil {
			return err
		}
		c, err = t.charge(ctx, tx, ref)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("decide test charge %.40q: %w", ref, err)
	}
	raw, header, err := t.Message(c.EventID, ref, c.State, money.Of(c.Minor, c.Currency))
	if err != nil {
		return "", err
	}
	if t.Deliver == nil {
		return "", errors.New("payments.Test.Deliver is not set")
	}
	if err := t.Deliver(ctx, raw, header); err != nil {
		return "", fmt.Errorf("deliver message about test charge %s: %w", ref, err)
	}
	return c.ReturnURL, nil
}

type testMessage struct {
	ID       string `json:"id"`
	Ref      string `json:"ref"`
	State    State  `json:"state"`
	Minor    int64  `json:"amount_minor"`
	Currency string `json:"currency"`
}

// Message makes a signed message.
func (t *Test) Message(eventID, ref string, state State, amount money.Amount) (raw []byte, header http.Header, err error) {
	if raw, err = json.Marshal(testMessage{eventID, ref, state, amount.Minor, amount.Currency}); err != nil {
		return nil, nil, fmt.Errorf("write test message: %w", err)
	}
	at := strconv.FormatInt(t.Now().Unix(), 10)
	header = http.Header{}
	header.Set(TestSignature, "t="+at+",v1="+hex.EncodeToString(t.mac(at, raw)))
	return raw, header, nil
}

func (t *Test) mac(at string, raw []byte) []byte {
	m := hmac.New(sha256.New, t.Secret)
	m.Write([]byte(at + "."))
	m.Write(raw)
	return m.Sum(nil)
}

// ParseWebhook implements Provider.
func (t *Test) ParseWebhook(raw []byte, header http.Header) ([]Event, error) {
	at, signature := "", ""
	for _, part := range strings.Split(header.Get(TestSignature), ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "t":
			at = value
		case "v1":
			signature = value
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return nil, ErrSignature
	}
	given, err := hex.DecodeString(signature)
	if err != nil || len(t.Secret) == 0 || !hmac.Equal(given, t.mac(at, raw)) {
		return nil, ErrSignature
	}
	if age := t.Now().Sub(time.Unix(seconds, 0)); age > testTolerance || age < -testTolerance {
		return nil, fmt.Errorf("%w: it is %v old", ErrSignature, age)
	}
	var m testMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("read test message: %w", err)
	}
	if m.ID == "" || m.Ref == "" {
		return nil, errors.New("read test message: it has no id or reference")
	}
	return []Event{{ID: m.ID, Ref: m.Ref, State: m.State, Amount: money.Of(m.Minor, m.Currency)}}, nil
}
