package runnertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// BuildSandboxBinary is SandboxBinary for a TestMain.
var BuildSandboxBinary = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "slipway-test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(dir, "build")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	built := filepath.Join(temp, "slipway")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", built, "github.com/slipway-ci/slipway/runner/runnertest/pausebin")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: "go build: " + string(out), Err: err}
	}
	path := filepath.Join(dir, "slipway")
	return path, os.Rename(built, path) // other processes may do the same
})

// SandboxBinary returns the path of a static program that sandboxes can run
// (docker.Options.SandboxBinary), since the tests' own binary is seldom static.
func SandboxBinary(tb testing.TB) string {
	tb.Helper()
	path, err := BuildSandboxBinary()
	if err != nil {
		tb.Fatal("build the program of sandboxes: ", err)
	}
	return path
}
