package testkit

import (
	"os"
	"os/exec"
	"testing"
)

// Tool answers the path of a program that a test needs. Where it is missing the test is skipped, loudly, but fails in CI.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("SKIPPED, NOT TESTED: %s is not installed (make setup installs it)", name)
	}
	return path
}
