// Package money holds amounts of money and the little arithmetic a marketplace needs.
//
// An Amount is a whole number of minor units (cents, or yen, which have none) in one ISO 4217 currency. There are no
// floating-point numbers here and no exchange rates. Every operation either gives the exact answer or an error: adding two
// currencies gives ErrCurrency, leaving the range of int64 gives ErrOverflow. What cannot be divided evenly is divided by
// largest remainder, so that the parts always sum to the whole.
//
// The package keeps nothing. The database stores an Amount as two columns, BIGINT minor units and TEXT currency.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sort"
	"strings"

	"github.com/bojanz/currency"
)

// Errors of this package; test with errors.Is.
var (
	ErrCurrency = errors.New("different currencies")
	ErrOverflow = errors.New("amount too large")
	ErrParse    = errors.New("not an amount of money")
	ErrSplit    = errors.New("shares must be positive and sum to more than zero")
)

// Amount is a sum of money: Minor units of Currency, an ISO 4217 code in capitals. {3875, "USD"} is $38.75.
// The zero Amount has no currency; it adds to any other as zero.
type Amount struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

// Of makes an Amount of minor units. It does not check the currency; outside input goes through Parse or Known first.
func Of(minor int64, currencyCode string) Amount { return Amount{Minor: minor, Currency: currencyCode} }

// Known tells whether code is an ISO 4217 currency with a known number of digits.
func Known(code string) bool { return code != "" && currency.IsValid(code) }

// Digits is the number of decimal digits of a currency's minor unit: 2 for USD, 0 for JPY, 3 for KWD. Unknown codes give 2.
func Digits(code string) int {
	if n, ok := currency.GetDigits(code); ok {
		return int(n)
	}
	return 2
}

// IsZero tells whether the amount is nothing, whatever its currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// same returns the currency two amounts share, or ErrCurrency.
func same(a, b Amount) (string, error) {
	switch {
	case a.Currency == b.Currency, b.Currency == "" && b.Minor == 0:
		return a.Currency, nil
	case a.Currency == "" && a.Minor == 0:
		return b.Currency, nil
	}
	return "", fmt.Errorf("%s and %s: %w", a.Currency, b.Currency, ErrCurrency)
}

// Add gives a + b.
func (a Amount) Add(b Amount) (Amount, error) {
	c, err := same(a, b)
	if err != nil {
		return Amount{}, err
	}
	sum := a.Minor + b.Minor
	if (a.Minor > 0 && b.Minor > 0 && sum <= 0) || (a.Minor < 0 && b.Minor < 0 && sum >= 0) {
		return Amount{}, ErrOverflow
	}
	return Amount{sum, c}, nil
}

// Sub gives a - b.
func (a Amount) Sub(b Amount) (Amount, error) {
	n, err := b.Neg()
	if err != nil {
		return Amount{}, err
	}
	return a.Add(n)
}

// Neg gives -a.
func (a Amount) Neg() (Amount, error) {
	if a.Minor == math.MinInt64 {
		return Amount{}, ErrOverflow
	}
	return Amount{-a.Minor, a.Currency}, nil
}

// Times gives a · n.
func (a Amount) Times(n int64) (Amount, error) {
	if a.Minor == 0 || n == 0 {
		return Amount{0, a.Currency}, nil
	}
	p := a.Minor * n
	if p/n != a.Minor || (a.Minor == math.MinInt64 && n == -1) || (n == math.MinInt64 && a.Minor == -1) {
		return Amount{}, ErrOverflow
	}
	return Amount{p, a.Currency}, nil
}

// Compare gives -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Amount) Compare(b Amount) (int, error) {
	if _, err := same(a, b); err != nil {
		return 0, err
	}
	switch {
	case a.Minor < b.Minor:
		return -1, nil
	case a.Minor > b.Minor:
		return 1, nil
	}
	return 0, nil
}

// Sum adds amounts of one currency. No amounts give the zero Amount.
func Sum(amounts ...Amount) (Amount, error) {
	var total Amount
	for _, a := range amounts {
		var err error
		if total, err = total.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}

// WholeBasis is one whole in basis points: 10,000 bp = 100 %.
const WholeBasis = 10_000

// Percent gives a share of the amount in basis points, rounded half to even (banker's rounding, IEEE 754 §4.3.1), the rule
// for tax. Royalties, whose parts must sum to the whole, use Split.
func (a Amount) Percent(basisPoints int64) (Amount, error) {
	neg := (a.Minor < 0) != (basisPoints < 0)
	hi, lo := bits.Mul64(magnitude(a.Minor), magnitude(basisPoints))
	if hi >= WholeBasis {
		return Amount{}, ErrOverflow
	}
	q, r := bits.Div64(hi, lo, WholeBasis)
	if r*2 > WholeBasis || (r*2 == WholeBasis && q%2 == 1) {
		q++
	}
	if q > math.MaxInt64 {
		return Amount{}, ErrOverflow
	}
	if neg {
		return Amount{-int64(q), a.Currency}, nil
	}
	return Amount{int64(q), a.Currency}, nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}

// Split divides the amount by shares (basis points or any other weights, none negative) with the largest-remainder method: every
// part is rounded toward zero and the units left over go, one each, to the parts with the largest remainders, ties to the
// earlier part. The parts always sum to the whole. No share, a negative share or only zeros give ErrSplit.
func (a Amount) Split(shares ...int64) ([]Amount, error) {
	var whole uint64
	for _, s := range shares {
		if s < 0 {
			return nil, ErrSplit
		}
		if whole+uint64(s) > math.MaxInt64 {
			return nil, ErrOverflow
		}
		whole += uint64(s)
	}
	if whole == 0 {
		return nil, ErrSplit
	}
	type part struct {
		at        int
		remainder uint64
	}
	size := magnitude(a.Minor)
	left := size
	units := make([]uint64, len(shares))
	order := make([]part, len(shares))
	for i, s := range shares {
		hi, lo := bits.Mul64(size, uint64(s)) // size · s / whole cannot overflow: s <= whole
		q, r := bits.Div64(hi, lo, whole)
		units[i], order[i] = q, part{i, r}
		left -= q
	}
	sort.SliceStable(order, func(i, j int) bool { return order[i].remainder > order[j].remainder })
	for i := uint64(0); i < left; i++ {
		units[order[i].at]++
	}
	parts := make([]Amount, len(shares))
	for i, u := range units {
		m := int64(u) // 1<<63 wraps to the lowest int64, which is what its negation is
		if a.Minor < 0 {
			m = -m
		}
		parts[i] = Amount{m, a.Currency}
	}
	return parts, nil
}

// Decimal writes the plain number for machines and spreadsheets: "38.75", "-3.00", "500" for yen.
func (a Amount) Decimal() string {
	digits := Digits(a.Currency)
	s := fmt.Sprintf("%0*d", digits+1, magnitude(a.Minor))
	if digits > 0 {
		s = s[:len(s)-digits] + "." + s[len(s)-digits:]
	}
	if a.Minor < 0 {
		s = "-" + s
	}
	return s
}

// Exact writes the amount for people with all its digits, as in a column of figures: "$31.00", "€9.50", "-$3.00", "¥500".
func (a Amount) Exact() string {
	if a.Currency == "" {
		return a.Decimal()
	}
	n, err := currency.NewAmount(a.Decimal(), a.Currency)
	if err != nil { // a currency the table does not know still reads well
		return a.Decimal() + " " + a.Currency
	}
	f := currency.NewFormatter(currency.NewLocale("en"))
	return strings.ReplaceAll(f.Format(n), "\u00a0", " ")
}

// String writes the amount for people as short as it can be exact: "$3", "$38.75", "€19". No money is "$0".
func (a Amount) String() string {
	s := a.Exact()
	if digits := Digits(a.Currency); digits > 0 {
		zeros := "." + strings.Repeat("0", digits)
		if i := strings.LastIndex(s, zeros); i >= 0 && (i+len(zeros) == len(s) || s[i+len(zeros)] == ' ') {
			s = s[:i] + s[i+len(zeros):]
		}
	}
	return s
}

// Parse reads a number that a person typed as an amount of a currency: "38.75", "$38.75", " 38 ", "1,250.00". It refuses
// negative numbers, more digits than the currency has and anything else with ErrParse, and values outside int64 with
// ErrOverflow.
func Parse(text, code string) (Amount, error) {
	if !Known(code) {
		return Amount{}, fmt.Errorf("currency %q: %w", code, ErrParse)
	}
	s := strings.TrimSpace(text)
	if symbol, ok := currency.GetSymbol(code, currency.NewLocale("en")); ok {
		s = strings.TrimSpace(strings.TrimPrefix(s, symbol))
	}
	s = strings.TrimSpace(strings.TrimSuffix(s, code))
	whole, fraction, point := strings.Cut(s, ".")
	if strings.Contains(whole, ",") {
		groups := strings.Split(whole, ",")
		for i, g := range groups {
			if (i > 0 && len(g) != 3) || (i == 0 && (g == "" || len(g) > 3)) {
				return Amount{}, fmt.Errorf("%.40q: %w", text, ErrParse)
			}
		}
		whole = strings.Join(groups, "")
	}
	digits := Digits(code)
	if whole == "" || len(fraction) > digits || (point && fraction == "") {
		return Amount{}, fmt.Errorf("%.40q: %w", text, ErrParse)
	}
	minor := int64(0)
	for _, c := range []byte(whole + fraction + strings.Repeat("0", digits-len(fraction))) {
		if c < '0' || c > '9' {
			return Amount{}, fmt.Errorf("%.40q: %w", text, ErrParse)
		}
		if minor > (math.MaxInt64-int64(c-'0'))/10 {
			return Amount{}, ErrOverflow
		}
		minor = minor*10 + int64(c-'0')
	}
	return Amount{minor, code}, nil
}
