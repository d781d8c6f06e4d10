package decode

// flacLPC32 adds the linear prediction (RFC 9639 §9.2.6) to the residual in place; the caller has made sure that the sums
// fit 32 bits. The orders that encoders use most have a loop of their own: the coefficients then stay in registers.
func flacLPC32[T int32 | int64](s []T, coef []int32, shift uint) {
	switch order := len(coef); {
	case order <= 4:
		lpcSmall[T, int32](s, coef, shift)
	case order <= 8:
		lpcUpTo8[T, int32](s, coef, shift)
	case order <= 12:
		lpcUpTo12[T, int32](s, coef, shift)
	default:
		lpcAny[T, int32](s, coef, shift)
	}
}

// flacLPC64 is flacLPC32 with 64-bit sums.
func flacLPC64[T int32 | int64](s []T, coef []int32, shift uint) {
	switch order := len(coef); {
	case order <= 4:
		lpcSmall[T, int64](s, coef, shift)
	case order <= 8:
		lpcUpTo8[T, int64](s, coef, shift)
	case order <= 12:
		lpcUpTo12[T, int64](s, coef, shift)
	default:
		lpcAny[T, int64](s, coef, shift)
	}
}

func lpcAny[T, A int32 | int64](s []T, coef []int32, shift uint) {
	order := len(coef)
	for i := order; i < len(s); i++ {
		past := s[i-order : i]
		var sum A
		for j, c := range coef {
			sum += A(c) * A(past[len(past)-1-j])
		}
		s[i] += T(sum >> shift)
	}
}

func lpcSmall[T, A int32 | int64](s []T, coef []int32, shift uint) {
	var c [4]A
	for i, v := range coef {
		c[i] = A(v)
	}
	var h [4]A // h[0] is the sample before
	for i := range coef {
		h[i] = A(s[len(coef)-1-i])
	}
	for i := len(coef); i < len(s); i++ {
		sum := c[0]*h[0] + c[1]*h[1] + c[2]*h[2] + c[3]*h[3]
		v := s[i] + T(sum>>shift)
		s[i] = v
		h[3], h[2], h[1], h[0] = h[2], h[1], h[0], A(v)
	}
}

func lpcUpTo8[T, A int32 | int64](s []T, coef []int32, shift uint) {
	lpcStart[T, A](s, coef, shift, 8)
	var c [8]A
	for i, v := range coef {
		c[i] = A(v)
	}
	for i := 8; i < len(s); i++ {
		h := s[i-8 : i+1 : i+1]
		sum := c[7]*A(h[0]) + c[6]*A(h[1]) + c[5]*A(h[2]) + c[4]*A(h[3]) + c[3]*A(h[4]) + c[2]*A(h[5]) + c[1]*A(h[6]) + c[0]*A(h[7])
		h[8] += T(sum >> shift)
	}
}

func lpcUpTo12[T, A int32 | int64](s []T, coef []int32, shift uint) {
	lpcStart[T, A](s, coef, shift, 12)
	var c [12]A
	for i, v := range coef {
		c[i] = A(v)
	}
	for i := 12; i < len(s); i++ {
		h := s[i-12 : i+1 : i+1]
		sum := c[11]*A(h[0]) + c[10]*A(h[1]) + c[9]*A(h[2]) + c[8]*A(h[3]) + c[7]*A(h[4]) + c[6]*A(h[5]) +
			c[5]*A(h[6]) + c[4]*A(h[7]) + c[3]*A(h[8]) + c[2]*A(h[9]) + c[1]*A(h[10]) + c[0]*A(h[11])
		h[12] += T(sum >> shift)
	}
}

// lpcStart predicts the samples before index n, where fewer than n samples lie behind.
func lpcStart[T, A int32 | int64](s []T, coef []int32, shift uint, n int) {
	if len(s) > n {
		s = s[:n]
	}
	lpcAny[T, A](s, coef, shift)
}
