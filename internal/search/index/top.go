package index

import "slices"

// top keeps the n best of what it is given: a heap whose root is the worst kept.
type top[T any] struct {
	n      int
	better func(a, b T) bool
	heap   []T
}

func newTop[T any](n int, better func(a, b T) bool) *top[T] {
	return &top[T]{n: max(n, 0), better: better}
}

func (t *top[T]) add(v T) {
	if len(t.heap) < t.n {
		t.heap = append(t.heap, v)
		for i := len(t.heap) - 1; i > 0; {
			up := (i - 1) / 2
			if !t.better(t.heap[up], t.heap[i]) {
				break
			}
			t.heap[up], t.heap[i] = t.heap[i], t.heap[up]
			i = up
		}
		return
	}
	if t.n == 0 || !t.better(v, t.heap[0]) {
		return
	}
	t.heap[0] = v
	for i := 0; ; {
		worst := i
		for _, kid := range [2]int{2*i + 1, 2*i + 2} {
			if kid < len(t.heap) && t.better(t.heap[worst], t.heap[kid]) {
				worst = kid
			}
		}
		if worst == i {
			return
		}
		t.heap[i], t.heap[worst] = t.heap[worst], t.heap[i]
		i = worst
	}
}

// last is the worst that is kept; full is false while everything still is.
func (t *top[T]) last() (v T, full bool) {
	if len(t.heap) < t.n || t.n == 0 {
		return v, false
	}
	return t.heap[0], true
}

// sorted is what was kept, the best first.
func (t *top[T]) sorted() []T {
	slices.SortFunc(t.heap, func(a, b T) int {
		switch {
		case t.better(a, b):
			return -1
		case t.better(b, a):
			return 1
		}
		return 0
	})
	return t.heap
}
