package money_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"audiomicro/internal/money"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a                      money.Amount
		short, exact, decimals string
	}{
		{money.Of(300, "USD"), "$3", "$3.00", "3.00"},
		{money.Of(3875, "USD"), "$38.75", "$38.75", "38.75"},
		{money.Of(0, "USD"), "$0", "$0.00", "0.00"},
		{money.Of(5, "USD"), "$0.05", "$0.05", "0.05"},
		{money.Of(-300, "USD"), "-$3", "-$3.00", "-3.00"},
		{money.Of(123456700, "USD"), "$1,234,567", "$1,234,567.00", "1234567.00"},
		{money.Of(950, "EUR"), "€9.50", "€9.50", "9.50"},
		{money.Of(1900, "EUR"), "€19", "€19.00", "19.00"},
		{money.Of(500, "JPY"), "¥500", "¥500", "500"},
		{money.Of(1500, "KWD"), "KWD 1.500", "KWD 1.500", "1.500"},
		{money.Of(2000, "KWD"), "KWD 2", "KWD 2.000", "2.000"},
		{money.Of(math.MinInt64, "USD"), "-$92,233,720,368,547,758.08", "-$92,233,720,368,547,758.08", "-92233720368547758.08"},
	} {
		if got := c.a.String(); got != c.short {
			t.Errorf("%+v String = %q, want %q", c.a, got, c.short)
		}
		if got := c.a.Exact(); got != c.exact {
			t.Errorf("%+v Exact = %q, want %q", c.a, got, c.exact)
		}
		if got := c.a.Decimal(); got != c.decimals {
			t.Errorf("%+v Decimal = %q, want %q", c.a, got, c.decimals)
		}
	}
}

func TestArithmeticRefusesWhatItCannotHold(t *testing.T) {
	t.Parallel()
	top, bottom := money.Of(math.MaxInt64, "USD"), money.Of(math.MinInt64, "USD")
	for name, c := range map[string]struct {
		do   func() (money.Amount, error)
		want money.Amount
		err  error
	}{
		"add":                    {func() (money.Amount, error) { return money.Of(1, "USD").Add(money.Of(2, "USD")) }, money.Of(3, "USD"), nil},
		"add to nothing":         {func() (money.Amount, error) { return money.Amount{}.Add(money.Of(2, "EUR")) }, money.Of(2, "EUR"), nil},
		"add another currency":   {func() (money.Amount, error) { return money.Of(1, "USD").Add(money.Of(2, "EUR")) }, money.Amount{}, money.ErrCurrency},
		"add over the top":       {func() (money.Amount, error) { return top.Add(money.Of(1, "USD")) }, money.Amount{}, money.ErrOverflow},
		"add under the bottom":   {func() (money.Amount, error) { return bottom.Add(money.Of(-1, "USD")) }, money.Amount{}, money.ErrOverflow},
		"bottom plus bottom":     {func() (money.Amount, error) { return bottom.Add(bottom) }, money.Amount{}, money.ErrOverflow},
		"subtract the bottom":    {func() (money.Amount, error) { return money.Of(0, "USD").Sub(bottom) }, money.Amount{}, money.ErrOverflow},
		"times":                  {func() (money.Amount, error) { return money.Of(-7, "USD").Times(6) }, money.Of(-42, "USD"), nil},
		"times over":             {func() (money.Amount, error) { return top.Times(2) }, money.Amount{}, money.ErrOverflow},
		"times bottom by -1":     {func() (money.Amount, error) { return bottom.Times(-1) }, money.Amount{}, money.ErrOverflow},
		"times -1 by bottom":     {func() (money.Amount, error) { return money.Of(-1, "USD").Times(math.MinInt64) }, money.Amount{}, money.ErrOverflow},
		"tax 25 %":               {func() (money.Amount, error) { return money.Of(3100, "USD").Percent(2500) }, money.Of(775, "USD"), nil},
		"half to even, down":     {func() (money.Amount, error) { return money.Of(1, "USD").Percent(5000) }, money.Of(0, "USD"), nil},
		"half to even, up":       {func() (money.Amount, error) { return money.Of(3, "USD").Percent(5000) }, money.Of(2, "USD"), nil},
		"negative half to even":  {func() (money.Amount, error) { return money.Of(-3, "USD").Percent(5000) }, money.Of(-2, "USD"), nil},
		"percent over":           {func() (money.Amount, error) { return top.Percent(20_000) }, money.Amount{}, money.ErrOverflow},
		"whole of the top":       {func() (money.Amount, error) { return top.Percent(10_000) }, top, nil},
		"sum of nothing":         {func() (money.Amount, error) { return money.Sum() }, money.Amount{}, nil},
		"sum":                    {func() (money.Amount, error) { return money.Sum(money.Of(1, "USD"), money.Of(2, "USD")) }, money.Of(3, "USD"), nil},
		"sum of two currencies":  {func() (money.Amount, error) { return money.Sum(money.Of(1, "USD"), money.Of(2, "JPY")) }, money.Amount{}, money.ErrCurrency},
		"negation of the bottom": {func() (money.Amount, error) { return bottom.Neg() }, money.Amount{}, money.ErrOverflow},
	} {
		got, err := c.do()
		if !errors.Is(err, c.err) || (c.err == nil && err != nil) || got != c.want {
			t.Errorf("%s: got %+v, %v; want %+v, %v", name, got, err, c.want, c.err)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor  int64
		shares []int64
		want   []int64
	}{
		{900, []int64{3500, 6500}, []int64{315, 585}},
		{101, []int64{3500, 6500}, []int64{35, 66}},
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{2, []int64{1, 1, 1}, []int64{1, 1, 0}},
		{5, []int64{0, 1}, []int64{0, 5}},
		{math.MaxInt64, []int64{1, 1}, []int64{4611686018427387904, 4611686018427387903}},
		{math.MinInt64, []int64{1}, []int64{math.MinInt64}},
	} {
		parts, err := money.Of(c.minor, "USD").Split(c.shares...)
		if err != nil {
			t.Errorf("split %d by %v: %v", c.minor, c.shares, err)
			continue
		}
		for i, p := range parts {
			if p != money.Of(c.want[i], "USD") {
				t.Errorf("split %d by %v: part %d is %d, want %d", c.minor, c.shares, i, p.Minor, c.want[i])
			}
		}
	}
	for _, shares := range [][]int64{nil, {0, 0}, {5, -1}} {
		if _, err := money.Of(100, "USD").Split(shares...); !errors.Is(err, money.ErrSplit) {
			t.Errorf("split by %v: %v, want ErrSplit", shares, err)
		}
	}
}

// TestSplitNeverLosesAUnit checks the promise of the package on random amounts: the parts sum to the whole, and none is more
// than one unit from its exact share.
func TestSplitNeverLosesAUnit(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		whole := rnd.Int64N(1_000_000_000) - 500_000_000
		shares := make([]int64, 1+rnd.IntN(6))
		var weights int64
		for i := range shares {
			shares[i] = rnd.Int64N(10_000)
			weights += shares[i]
		}
		if weights == 0 {
			continue
		}
		parts, err := money.Of(whole, "USD").Split(shares...)
		if err != nil {
			t.Fatal(err)
		}
		total, err := money.Sum(parts...)
		if err != nil || total.Minor != whole {
			t.Fatalf("parts of %d by %v sum to %d, %v", whole, shares, total.Minor, err)
		}
		for i, p := range parts {
			exact := float64(whole) * float64(shares[i]) / float64(weights)
			if math.Abs(float64(p.Minor)-exact) > 1.0001 {
				t.Fatalf("part %d of %d by %v is %d, exact %.3f", i, whole, shares, p.Minor, exact)
			}
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, code string
		want       int64
		err        error
	}{
		{"38.75", "USD", 3875, nil}, {"$38.75", "USD", 3875, nil}, {" 38 ", "USD", 3800, nil}, {"1,250.5", "USD", 125050, nil},
		{"0", "USD", 0, nil}, {"500", "JPY", 500, nil}, {"1.234", "KWD", 1234, nil}, {"9 EUR", "EUR", 900, nil},
		{"38.755", "USD", 0, money.ErrParse}, {"5.5", "JPY", 0, money.ErrParse}, {"-3", "USD", 0, money.ErrParse}, {"", "USD", 0, money.ErrParse},
		{"3.", "USD", 0, money.ErrParse}, {".5", "USD", 0, money.ErrParse}, {"1e3", "USD", 0, money.ErrParse}, {"1,2,3", "USD", 0, money.ErrParse},
		{"٣", "USD", 0, money.ErrParse}, {"3", "XYZW", 0, money.ErrParse}, {"99999999999999999999", "USD", 0, money.ErrOverflow},
		{"92233720368547758.07", "USD", math.MaxInt64, nil}, {"92233720368547758.08", "USD", 0, money.ErrOverflow},
	} {
		got, err := money.Parse(c.text, c.code)
		if !errors.Is(err, c.err) || (c.err == nil && (err != nil || got != money.Of(c.want, c.code))) {
			t.Errorf("Parse(%q, %s) = %+v, %v; want %d, %v", c.text, c.code, got, err, c.want, c.err)
		}
	}
}

// FuzzParse looks for a text that reads as an amount but does not come back from its own decimal form.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"38.75", "$1,000", "0.01", "-1", "1,2", "9223372036854775807"} {
		f.Add(s, "USD")
		f.Add(s, "JPY")
	}
	f.Fuzz(func(t *testing.T, text, code string) {
		a, err := money.Parse(text, code)
		if err != nil {
			return
		}
		if a.Minor < 0 {
			t.Fatalf("%q read as the negative %d", text, a.Minor)
		}
		if b, err := money.Parse(a.Decimal(), code); err != nil || b != a {
			t.Fatalf("%q reads as %+v, its decimal form %q as %+v, %v", text, a, a.Decimal(), b, err)
		}
	})
}
