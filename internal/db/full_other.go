//go:build !linux && !darwin && !freebsd

package db

func diskRoom(string) (bytes uint64, known bool) { return 0, false }
