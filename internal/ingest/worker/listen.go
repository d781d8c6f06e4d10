package worker

import (
	"context"
	"os"
)

// Listen analyzes the file at path and keeps nothing of what was made: only the measurements remain. req says which tools there are and
// how long the sound may be.
func Listen(ctx context.Context, path string, req Request) (Result, error) {
	req.Outputs = []Output{Analysis}
	return startOnFile(ctx, path, req, func(string) func() { return func() {} })
}

// startOnFile runs the worker on the file at path in a temporary folder that does not stay. watch is called with the folder before the
// worker starts, and what it returns when the worker has ended.
func startOnFile(ctx context.Context, path string, req Request, watch func(dir string) (ended func())) (Result, error) {
	src, err := os.Open(path)
	if err != nil {
		return Result{}, err
	}
	defer src.Close()
	stat, err := src.Stat()
	if err != nil {
		return Result{}, err
	}
	dir, err := os.MkdirTemp("", "audiomicro-listen-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir) // a leftover in the system's temporary folder is no failure of the measurement
	req.Size = stat.Size()
	defer watch(dir)() // before the folder goes
	return Start(ctx, req, src, dir, nil)
}
