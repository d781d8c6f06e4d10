package web

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit is how often something may happen: Burst times at once, refilled over Per.
type Limit struct {
	Name  string
	Burst int
	Per   time.Duration
}

// The default limits; an address is one IPv4 address or one IPv6 /64.
var (
	SignInByAccount = Limit{"sign-in by account", 10, 5 * time.Minute}
	SignInByIP      = Limit{"sign-in by address", 25, 5 * time.Minute}
	SignUpByIP      = Limit{"sign-up by address", 5, 30 * time.Minute}
	ResetByAddress  = Limit{"reset by e-mail address", 5, 30 * time.Minute}
	UploadByAccount = Limit{"uploads by account", 30, 30 * time.Minute}
	SearchByIP      = Limit{"search by address", 60, time.Minute}
	// TypingByIP is for results that follow each key: the fastest typists make 10 keys a second for a while, several may share
	// an address.
	TypingByIP      = Limit{"searches while typing by address", 1200, time.Minute}
	EarByCaller     = Limit{"sounds to search by", 20, 5 * time.Minute}
	DownloadByBuyer = Limit{"downloads by buyer", 100, time.Hour}
	RangeByBuyer    = Limit{"pieces of downloads by buyer", 2000, time.Hour}
)

// APILimits are how often a credential of a level may ask a program's interface, by the minute and by the day: the levels are those of
// the Freesound API, and all interfaces here count together. A person in a browser and a visitor count as the first level.
func APILimits(level int64, write bool) []Limit {
	minute, day, kind := 60, 2000, "reads"
	if write {
		minute, day, kind = 30, 500, "writes"
	}
	switch {
	case level == 2 && write:
		minute, day = 60, 1000
	case level == 2:
		minute, day = 300, 5000
	case level == 3 && write:
		minute, day = 60, 3000
	case level == 3:
		minute, day = 300, 15000
	}
	name := "api " + kind + " at level " + strconv.FormatInt(level, 10)
	return []Limit{{name + " by minute", minute, time.Minute}, {name + " by day", day, 24 * time.Hour}}
}

// Limits counts per process, in memory. The zero value is ready.
type Limits struct {
	// Off switches all limits off; for load tests on loopback.
	Off bool

	mu      sync.Mutex
	buckets map[limitKey]*rate.Limiter
	swept   time.Time
}

type limitKey struct{ name, key string }

// Take counts one try of key at now and answers 429 with Retry-After when there were too many.
func (l *Limits) Take(limit Limit, key string, now time.Time) error {
	if l.Off {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > time.Minute {
		l.sweep(now)
	}
	if l.buckets == nil {
		l.buckets = map[limitKey]*rate.Limiter{}
	}
	k := limitKey{limit.Name, key}
	b := l.buckets[k]
	if b == nil {
		b = rate.NewLimiter(rate.Every(limit.Per/time.Duration(limit.Burst)), limit.Burst)
		l.buckets[k] = b
	}
	res := b.ReserveN(now, 1)
	if wait := res.DelayFrom(now); wait > 0 {
		res.CancelAt(now)
		return &Public{Status: http.StatusTooManyRequests, Text: "Too many tries. Wait " + roughly(wait) + " and try again.", RetryAfter: wait}
	}
	return nil
}

// Left is how many more times key may be taken at now, and how long it takes until there is one more again.
func (l *Limits) Left(limit Limit, key string, now time.Time) (left int, next time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[limitKey{limit.Name, key}]
	if b == nil {
		return limit.Burst, 0
	}
	tokens := b.TokensAt(now)
	left = max(int(tokens), 0)
	if left >= limit.Burst {
		return left, 0
	}
	return left, time.Duration((float64(left) + 1 - tokens) * float64(limit.Per) / float64(limit.Burst))
}

// sweep drops the buckets that are full again.
func (l *Limits) sweep(now time.Time) {
	l.swept = now
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.buckets, k)
		}
	}
}

// roughly writes a wait in whole minutes or seconds, rounded up.
func roughly(d time.Duration) string {
	n, unit := int((d+time.Second-1)/time.Second), "second"
	if n > 90 {
		n, unit = int((d+time.Minute-1)/time.Minute), "minute"
	}
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// IPKey is the key under which an address is counted: IPv4 whole, IPv6 by /64.
func IPKey(ip netip.Addr) string {
	if ip.Is4() {
		return ip.String()
	}
	if p, err := ip.Prefix(64); err == nil {
		return p.String()
	}
	return "unknown"
}
