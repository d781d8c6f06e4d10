//go:build !linux

package blob

// dropCache does nothing where there is no portable way to ask for it.
func dropCache(diskFile) {}
