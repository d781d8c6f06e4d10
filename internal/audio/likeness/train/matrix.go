package main

import (
	"math"
	"slices"

	"audiomicro/internal/audio/likeness"
)

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func meanOf(sounds []sound) []float64 {
	mean := make([]float64, likeness.Size)
	for _, s := range sounds {
		for i, v := range s.features {
			mean[i] += v / float64(len(sounds))
		}
	}
	return mean
}

// outer adds weight (x - mean)(x - mean)ᵀ to m.
func outer(m [][]float64, x, mean []float64, weight float64) {
	d := make([]float64, len(x))
	for i := range x {
		d[i] = x[i] - mean[i]
	}
	for i, row := range m {
		for j := range row {
			row[j] += weight * d[i] * d[j]
		}
	}
}

func times(a, b [][]float64) [][]float64 {
	out := make([][]float64, len(a))
	for i, row := range a {
		out[i] = make([]float64, len(b[0]))
		for k, v := range row {
			for j, w := range b[k] {
				out[i][j] += v * w
			}
		}
	}
	return out
}

func transpose(a [][]float64) [][]float64 {
	out := make([][]float64, len(a[0]))
	for j := range out {
		out[j] = make([]float64, len(a))
		for i := range a {
			out[j][i] = a[i][j]
		}
	}
	return out
}

// eigen gives the eigenvalues of a symmetric matrix, largest first, and their vectors as rows, by cyclic Jacobi rotations (Golub and Van
// Loan, Matrix Computations, 8.5). It destroys m.
func eigen(m [][]float64) (values []float64, vectors [][]float64) {
	n := len(m)
	v := square(n)
	for i := range v {
		v[i][i] = 1
	}
	for range 30 { // sweeps: about ten are enough
		off := 0.0
		for i := range n {
			for j := range i {
				off += m[i][j] * m[i][j]
			}
		}
		if off < 1e-18 {
			break
		}
		for p := range n - 1 {
			for q := p + 1; q < n; q++ {
				rotate(m, v, p, q)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if m[a][a] > m[b][b] {
			return -1
		}
		return 1
	})
	for _, i := range order {
		values, vectors = append(values, m[i][i]), append(vectors, v[i])
	}
	return values, vectors
}

// rotate makes m[p][q] zero; v collects the rotations in its rows.
func rotate(m, v [][]float64, p, q int) {
	if math.Abs(m[p][q]) < 1e-15 {
		return
	}
	theta := (m[q][q] - m[p][p]) / (2 * m[p][q])
	t := math.Copysign(1/(math.Abs(theta)+math.Sqrt(theta*theta+1)), theta)
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	for k := range m {
		a, b := m[k][p], m[k][q]
		m[k][p], m[k][q] = c*a-s*b, s*a+c*b
	}
	for k := range m {
		a, b := m[p][k], m[q][k]
		m[p][k], m[q][k] = c*a-s*b, s*a+c*b
	}
	for k := range m {
		a, b := v[p][k], v[q][k]
		v[p][k], v[q][k] = c*a-s*b, s*a+c*b
	}
}
