package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"audiomicro/internal/app"
	"audiomicro/internal/blob"
	"audiomicro/internal/db"
	"audiomicro/internal/recordings"
	"audiomicro/internal/testkit"
)

// load does what people do, over and over, across restarts of the server, and notes what the server acknowledged.
type load struct {
	t        testing.TB
	uploader caller
	buyer    caller
	maker    int64
	sound    int64

	// frozen: answers that come from now on count as never received.
	frozen atomic.Bool
	// acks counts what was acknowledged.
	acks atomic.Int64

	mu      sync.Mutex
	seed    int
	broken  []string // promises that were broken in front of a client
	started int      // files begun
	done    []sentFile
	open    [2]*sentFile
	order   pendingOrder
	keys    map[string]bool // of all checkouts ever sent
	paid    []string        // payment references whose approval was acknowledged
}

type sentFile struct {
	data  []byte
	path  string // of the upload, once acknowledged
	acked int64
	id    int64 // recording
}

// pendingOrder is how far the buyer is with the present order.
type pendingOrder struct {
	form url.Values // of the checkout that was sent, or nil
	ref  string     // payment reference, once known
}

func newLoad(t testing.TB, r rig, maker, buyer *testkit.Person, sound int64) *load {
	t.Helper()
	l := &load{t: t, maker: maker.ID, sound: sound, seed: 10, keys: map[string]bool{}}
	var err error
	if l.uploader, err = newCaller(r.config.URL, maker); err != nil {
		t.Fatal(err)
	}
	if l.buyer, err = newCaller(r.config.URL, buyer); err != nil {
		t.Fatal(err)
	}
	return l
}

// run works until ctx ends or the server refuses; at most files new files are begun. It returns when all is quiet.
func (l *load) run(ctx context.Context, files int) {
	l.mu.Lock()
	limit := l.started + files
	l.mu.Unlock()
	var wg sync.WaitGroup
	for i := range l.open {
		wg.Go(func() {
			for ctx.Err() == nil && l.upload(ctx, i, limit) {
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil && l.buy(ctx) {
		}
	})
	wg.Wait()
}

func (l *load) complain(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = append(l.broken, fmt.Sprintf(format, args...))
}

// acknowledged tells whether an answer counts.
func (l *load) acknowledged(err error) bool {
	if err != nil || l.frozen.Load() {
		return false
	}
	l.acks.Add(1)
	return true
}

// next is the file that uploader i works at; nil when enough were begun.
func (l *load) next(i, limit int) *sentFile {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[i] == nil && l.started < limit {
		l.started++
		l.seed++
		l.open[i] = &sentFile{data: tone(l.t, l.seed)}
	}
	return l.open[i]
}

// upload sends one request of uploader i's file. False: this cannot go on now.
func (l *load) upload(ctx context.Context, i, limit int) bool {
	f := l.next(i, limit)
	if f == nil {
		return false
	}
	head := http.Header{"Tus-Resumable": {"1.0.0"}}
	if f.path == "" {
		head.Set("Upload-Length", strconv.Itoa(len(f.data)))
		head.Set("Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "tone %d.wav", i)))
		got, err := l.uploader.do(ctx, http.MethodPost, "/uploads/", head, nil)
		if !l.acknowledged(err) {
			return false
		}
		if got.status != http.StatusCreated {
			return false
		}
		f.path = strings.TrimPrefix(got.header.Get("Location"), l.uploader.base)
		return true
	}
	got, err := l.uploader.do(ctx, http.MethodHead, f.path, head, nil)
	if err != nil || l.frozen.Load() || got.status >= 500 {
		return false
	}
	if got.status != http.StatusOK {
		l.complain("upload %s with %d acknowledged bytes: HEAD answers %d", f.path, f.acked, got.status)
		return false
	}
	if l.finished(i, f, got) {
		return true
	}
	offset, err := strconv.ParseInt(got.header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < f.acked {
		l.complain("upload %s: %d bytes were acknowledged, the server has %d", f.path, f.acked, offset)
		return false
	}
	end := min(offset+1+rand.Int64N(20_000), int64(len(f.data)))
	head.Set("Content-Type", "application/offset+octet-stream")
	head.Set("Upload-Offset", strconv.FormatInt(offset, 10))
	got, err = l.uploader.do(ctx, http.MethodPatch, f.path, head, f.data[offset:end])
	if !l.acknowledged(err) || got.status != http.StatusNoContent {
		return false
	}
	f.acked = end
	l.finished(i, f, got)
	return true
}

// finished notes a file that the server says it has.
func (l *load) finished(i int, f *sentFile, got answer) bool {
	if got.header.Get("Upload-SHA256") == "" {
		return false
	}
	sum := sha256.Sum256(f.data)
	id, err := strconv.ParseInt(got.header.Get("Upload-Recording"), 10, 64)
	if want := hex.EncodeToString(sum[:]); err != nil || got.header.Get("Upload-SHA256") != want {
		l.complain("upload %s: the server has %s, sent was %s", f.path, got.header.Get("Upload-SHA256"), want)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f.id = id
	l.done, l.open[i] = append(l.done, *f), nil
	return true
}

// buy does the next step of the buyer's order. False: this cannot go on now.
func (l *load) buy(ctx context.Context) bool {
	o := &l.order
	switch {
	case o.form == nil:
		got, err := l.buyer.post(ctx, "/cart", url.Values{"recording": {strconv.FormatInt(l.sound, 10)}, "model": {"standard"}})
		if err != nil || got.status != http.StatusSeeOther {
			return false
		}
		page, err := l.buyer.do(ctx, http.MethodGet, "/checkout", nil, nil)
		if err != nil || page.status != http.StatusOK {
			return false
		}
		form := hiddenValues(page.text)
		for k, v := range map[string]string{"licensee": "Bea Buyer", "project": fmt.Sprintf("The Ferry %d", len(l.keys)), "country": "SE", "provider": "test"} {
			form.Set(k, v)
		}
		o.form = form
		l.keys[form.Get("key")] = true
	case o.ref == "":
		got, err := l.buyer.post(ctx, "/checkout", o.form)
		if !l.acknowledged(err) || got.status >= 500 {
			return false
		}
		if got.header.Get("Location") == "/cart" || got.status == http.StatusConflict { // the payment before was settled meanwhile and took the line along
			*o = pendingOrder{}
			return true
		}
		ref, ok := strings.CutPrefix(got.header.Get("Location"), "/payments/test/")
		if got.status != http.StatusSeeOther || !ok {
			l.complain("checkout: %d to %s", got.status, got.header.Get("Location"))
			return false
		}
		o.ref = ref
	default:
		got, err := l.buyer.post(ctx, "/payments/test/"+o.ref, url.Values{"decision": {"approve"}})
		if !l.acknowledged(err) || got.status >= 500 {
			return false
		}
		if got.status != http.StatusSeeOther {
			l.complain("payment %s: %d %s", o.ref, got.status, got.text)
			return false
		}
		l.paid = append(l.paid, o.ref)
		*o = pendingOrder{}
	}
	return true
}

// complete finishes what is under way, on a server that stays up.
func (l *load) complete() {
	ctx := context.Background()
	testkit.Eventually(l.t, "every upload under way is finished", func() bool {
		l.run1(ctx)
		return l.open[0] == nil && l.open[1] == nil || len(l.broken) > 0
	})
	testkit.Eventually(l.t, "the order under way is paid", func() bool {
		return l.order.form == nil || l.buy(ctx) && l.order.form == nil || len(l.broken) > 0
	})
}

func (l *load) run1(ctx context.Context) {
	for i := range l.open {
		for l.upload(ctx, i, l.started) {
		}
	}
}

// check compares what was acknowledged with what is there.
func (l *load) check(a *app.App) {
	l.t.Helper()
	ctx := context.Background()
	for _, text := range l.broken {
		l.t.Error(text)
	}
	if len(l.done) == 0 {
		l.t.Error("no file was finished")
	}
	for _, f := range l.done {
		if err := sameBytes(ctx, a, f); err != nil {
			l.t.Error(err)
		}
	}
	type order struct {
		State string `db:"state"`
		N     int64  `db:"n"`
	}
	for _, ref := range l.paid {
		o, err := db.Get[order](ctx, a.DB, `SELECT o.state, (SELECT count(*) FROM license l JOIN order_line ol ON ol.id = l.order_line WHERE ol.order_id = o.id) AS n
			FROM orders o JOIN payment p ON p.order_id = o.id WHERE p.ref = $1`, ref)
		if err != nil || o.State != "paid" || o.N != 1 {
			l.t.Errorf("payment %s was acknowledged; its order is %q with %d licenses: %v", ref, o.State, o.N, err)
		}
	}
	count := func(query string) int64 {
		n, err := db.Get[int64](ctx, a.DB, query)
		if err != nil {
			l.t.Fatal(err)
		}
		return n
	}
	placed, charged := count(`SELECT count(*) FROM orders`), count(`SELECT count(*) FROM test_charge WHERE state = 'paid'`)
	paid, licenses := count(`SELECT count(*) FROM orders WHERE state = 'paid'`), count(`SELECT count(*) FROM license`)
	if placed > int64(len(l.keys)) || charged != paid || licenses != paid || paid < int64(len(l.paid)) {
		l.t.Errorf("%d checkouts, %d orders, %d charges, %d paid orders, %d licenses, %d acknowledged", len(l.keys), placed, charged, paid, licenses, len(l.paid))
	}
	if n := count(`SELECT count(*) FROM (SELECT place_key FROM orders GROUP BY place_key HAVING count(*) > 1) twice`); n > 0 {
		l.t.Errorf("%d checkouts became several orders", n)
	}
}

var errUnderWay = errors.New("its analysis is not done")

// sameBytes reads a finished file again.
func sameBytes(ctx context.Context, a *app.App, f sentFile) error {
	rec, err := a.Recordings.ByID(ctx, a.DB, f.id)
	if err != nil {
		return fmt.Errorf("acknowledged upload %s: recording %d: %w", f.path, f.id, err)
	}
	r, err := a.Blobs.Open(ctx, blob.Ref(rec.SHA256))
	if err != nil {
		return fmt.Errorf("acknowledged upload %s: %w", f.path, err)
	}
	got, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, f.data) {
		return fmt.Errorf("acknowledged upload %s has %d bytes, sent were %d, and they differ: %w", f.path, len(got), len(f.data), err)
	}
	if rec.Processing != recordings.Ready {
		return fmt.Errorf("recording %d is %s, %w: %s", f.id, rec.Processing, errUnderWay, rec.ProcessingNote)
	}
	return nil
}

// checkKept is check for a moment when work may be under way: finished files have their bytes, payments are known.
func (l *load) checkKept(a *app.App) {
	l.t.Helper()
	ctx := context.Background()
	for _, f := range l.done {
		if err := sameBytes(ctx, a, f); err != nil && !errors.Is(err, errUnderWay) {
			l.t.Error(err)
		}
	}
	for _, ref := range l.paid {
		n, err := db.Get[int64](ctx, a.DB, `SELECT count(*) FROM test_charge c JOIN payment_event e ON e.ref = c.ref WHERE c.ref = $1 AND c.state = 'paid'`, ref)
		if err != nil || n != 1 {
			l.t.Errorf("payment %s was acknowledged; %d messages of it are kept: %v", ref, n, err)
		}
	}
}
