//go:build !linux

package main

import "time"

// threadTime is not told here.
func threadTime() time.Duration { return 0 }

// processTime is not told here.
func processTime() time.Duration { return 0 }
