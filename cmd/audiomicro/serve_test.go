package main

import "testing"

// TestHeapGrowth: a small site's heap has room for many answers between two collections, a big one's grows by a tenth.
func TestHeapGrowth(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 20 << 20: 100, 64 << 20: 50, 100 << 20: 30, 600 << 20: 10} {
		if got := growth(live); got != want {
			t.Errorf("a heap of %d MB grows by %d %%, want %d", live>>20, got, want)
		}
	}
}
