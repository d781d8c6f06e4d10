package orders_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"audiomicro/internal/orders"
	"audiomicro/internal/payments"
	"audiomicro/internal/web"
)

// TestRefundsAtOnce refunds every line of an order several times at the same moment: each goes back once, what is refused is
// refused with a sentence, and the order knows that nothing of it is left.
func TestRefundsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.add(buyer, 1, 2, 3)
		o := s.place("k", payments.ManualName)
		if err := s.o.MarkPaid(ctx, o.ID); err != nil {
			t.Fatal(err)
		}
		lines, err := s.o.Lines(ctx, s.db, o.ID)
		if err != nil || len(lines) != 3 {
			t.Fatalf("lines %v, %v", lines, err)
		}
		var wg sync.WaitGroup
		var done atomic.Int64
		for i := range 12 {
			wg.Go(func() {
				err := s.o.Refund(ctx, o.ID, []int64{lines[i%3].ID}, "Bought by mistake.")
				var public *web.Public
				switch {
				case err == nil:
					done.Add(1)
				case !errors.As(err, &public) || public.Status != http.StatusConflict:
					t.Errorf("refund of line %d: %v", i%3, err)
				}
			})
		}
		wg.Wait()
		s.work()
		if n, st := done.Load(), s.order(o.ID).State; n != 3 || st != orders.Refunded {
			t.Errorf("%d refunds, the order is %s", n, st)
		}
		if v, r := s.licenses(buyer); v != 0 || r != 3 {
			t.Errorf("%d valid, %d revoked licenses", v, r)
		}
		s.sound()
	})
}
