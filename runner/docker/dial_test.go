package docker_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

func TestPing(t *testing.T) {
	if err := docker.Ping(t.Context(), runnertest.Docker(t)); err != nil {
		t.Error(err)
	}
}

func TestPingTellsWhatToDo(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale.sock")
	l, err := net.Listen("unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	for host, want := range map[string]string{
		"unix://" + filepath.Join(dir, "none.sock"): "install and start Docker",
		"unix://" + stale:   "start Docker (systemctl start docker)",
		"tcp://127.0.0.1:1": "check that the engine runs there",
	} {
		cli, err := docker.Dial(host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cli.Close() })
		err = docker.Ping(t.Context(), cli)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), host) {
			t.Errorf("%s: error %v, want the address and %q", host, err, want)
		}
	}
}

func TestDialRefusesNonsense(t *testing.T) {
	if _, err := docker.Dial("docker"); err == nil {
		t.Error("a host without a scheme was taken")
	}
}
