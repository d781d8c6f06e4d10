package accounts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"
)

// Ages in full years at which rules change: under 13 no account (16 CFR 312, COPPA), under 18 only with a guardian.
const (
	childUntil = 13
	minorUntil = 18
)

// Born is a birth date. It is never kept.
type Born struct{ Year, Month, Day int }

// valid tells whether the date exists and lies within the last 120 years.
func (b Born) valid(now time.Time) bool {
	d := time.Date(b.Year, time.Month(b.Month), b.Day, 0, 0, 0, 0, time.UTC)
	return d.Year() == b.Year && int(d.Month()) == b.Month && d.Day() == b.Day &&
		!d.After(now.UTC()) && now.UTC().Year()-b.Year <= 120
}

// turns is the moment (UTC) at which the person reaches an age; who is born on 29 February reaches it on 1 March.
func (b Born) turns(age int) time.Time {
	return time.Date(b.Year+age, time.Month(b.Month), b.Day, 0, 0, 0, 0, time.UTC)
}

func (b Born) under(age int, now time.Time) bool { return now.Before(b.turns(age)) }

// The age cookie says only "asked before, until then": no account, no date, nothing that names a person.
const (
	ageCookie     = "am_age"
	ageCookieLife = 12 * time.Hour
)

func (s *Store) ageMAC(until []byte) []byte {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte("age gate"))
	mac.Write(until)
	return mac.Sum(nil)[:16]
}

// ageStamp makes the cookie's value: when it ends and a signature.
func (s *Store) ageStamp() string {
	until := binary.BigEndian.AppendUint64(nil, uint64(s.Now().Add(ageCookieLife).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(until, s.ageMAC(until)...))
}

// turnedAway tells whether the browser carries a valid age stamp.
func (s *Store) turnedAway(r *http.Request) bool {
	c, err := r.Cookie(ageCookie)
	if err != nil {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(raw) != 24 || !hmac.Equal(raw[8:], s.ageMAC(raw[:8])) {
		return false
	}
	return s.Now().Unix() < int64(binary.BigEndian.Uint64(raw))
}
