//go:build !nofsync

package blob

// fsync is false only in binaries built with the tag nofsync, which exist to prove that the power-loss tests notice.
const fsync = true
