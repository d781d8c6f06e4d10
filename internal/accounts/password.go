package accounts

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is argon2id's price: memory in KiB, passes, lanes.
type Cost struct {
	Memory uint32
	Passes uint32
	Lanes  uint8
}

// DefaultCost is 19 MiB, two passes, one lane: the OWASP password storage sheet's choice for argon2id.
var DefaultCost = Cost{Memory: 19 * 1024, Passes: 2, Lanes: 1}

const (
	saltBytes = 16
	hashBytes = 32
)

// Hasher hashes passwords, a few at a time: each takes Cost.Memory and a core, so a flood of sign-ins waits here instead of
// eating the machine.
type Hasher struct {
	cost  Cost
	slots chan struct{}

	once  sync.Once
	dummy string
}

// NewHasher makes a hasher that runs at most parallel hashes at once.
func NewHasher(cost Cost, parallel int) *Hasher {
	return &Hasher{cost: cost, slots: make(chan struct{}, max(parallel, 1))}
}

func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hasher) leave() { <-h.slots }

// Hash makes the text that is kept: $argon2id$v=19$m=…,t=…,p=…$salt$hash (the PHC string format). salt is 16 random bytes.
func (h *Hasher) Hash(ctx context.Context, password string, salt []byte) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	key := argon2.IDKey(normal(password), salt, h.cost.Passes, h.cost.Memory, h.cost.Lanes, hashBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.Memory, h.cost.Passes, h.cost.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// Check compares a password with a kept text; stale means that the text was made at another cost and should be made again.
func (h *Hasher) Check(ctx context.Context, password, kept string) (ok, stale bool, err error) {
	cost, salt, want, err := parseHash(kept)
	if err != nil {
		return false, false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	key := argon2.IDKey(normal(password), salt, cost.Passes, cost.Memory, cost.Lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(key, want) == 1, cost != h.cost, nil
}

// Waste does the work of Check for an account that does not exist, so that the answer takes as long.
func (h *Hasher) Waste(ctx context.Context, password string) error {
	h.once.Do(func() {
		h.dummy = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.Memory, h.cost.Passes, h.cost.Lanes,
			base64.RawStdEncoding.EncodeToString(make([]byte, saltBytes)), base64.RawStdEncoding.EncodeToString(make([]byte, hashBytes)))
	})
	_, _, err := h.Check(ctx, password, h.dummy)
	return err
}

func parseHash(kept string) (Cost, []byte, []byte, error) {
	var c Cost
	var version int
	parts := strings.Split(kept, "$")
	bad := func() (Cost, []byte, []byte, error) {
		return Cost{}, nil, nil, fmt.Errorf("kept password hash is not argon2id in the PHC format")
	}
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return bad()
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return bad()
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Passes, &c.Lanes); err != nil {
		return bad()
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	hash, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	// The limits keep a damaged row from asking for all memory or a panic of argon2.
	if err1 != nil || err2 != nil || len(hash) < 16 || len(hash) > 64 || c.Lanes == 0 || c.Passes == 0 || c.Passes > 100 || c.Memory > 1<<20 {
		return bad()
	}
	return c, salt, hash, nil
}

// normal is the form in which passwords are hashed: NFKC, so that the same letters typed on another keyboard are the same
// (NIST SP 800-63B-4 §3.1.1.2).
func normal(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

// Lengths of passwords in characters.
const (
	MinPassword = 8
	MaxPassword = 128
)

//go:embed common.txt
var commonText string

var commonPasswords = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, word := range strings.Fields(commonText) {
		out[word] = true
	}
	return out
})

// passwordProblem says what is wrong with a new password; empty when it is fine. about are words that anybody would try
// first: the name, the address, the site's name. There are no rules about kinds of characters (NIST SP 800-63B-4).
func passwordProblem(password string, about ...string) string {
	n := utf8.RuneCountInString(password)
	if n < MinPassword || n > MaxPassword || !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return fmt.Sprintf("A password has %d to %d characters.", MinPassword, MaxPassword)
	}
	low := strings.ToLower(string(normal(password)))
	if commonPasswords()[low] || commonPasswords()[strings.TrimRight(low, "0123456789!.?*")] || monotone(low) {
		return "This password is among the first that anybody would try. Take another one."
	}
	for _, word := range about {
		word = strings.ToLower(string(normal(word)))
		local, _, _ := strings.Cut(word, "@")
		if rest, _, ok := strings.Cut(low, local); len(local) >= 3 && (low == word || ok && len(low)-len(local) < 4 && len(rest) < 4) {
			return "The password is too close to your name or address. Take another one."
		}
	}
	return ""
}

// monotone finds runs such as "aaaaaaaa", "12345678" and "hgfedcba".
func monotone(s string) bool {
	runes := []rune(s)
	if len(runes) < 2 {
		return true
	}
	step := runes[1] - runes[0]
	if step < -1 || step > 1 {
		return false
	}
	for i := 2; i < len(runes); i++ {
		if runes[i]-runes[i-1] != step {
			return false
		}
	}
	return true
}
