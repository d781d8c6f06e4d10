//go:build unix && !linux

package worker

func wall(bool) []string { return nil }
