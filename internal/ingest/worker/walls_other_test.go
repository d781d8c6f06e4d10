//go:build !linux

package worker_test

func kernelWalls() []string { return nil }
