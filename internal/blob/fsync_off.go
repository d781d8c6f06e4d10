//go:build nofsync

package blob

const fsync = false
