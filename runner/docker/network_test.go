package docker_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

// TestNamesakes: what two calls at once made of one network, those of a process
// that was killed and of the next, ends as one on which sandboxes start.
func TestNamesakes(t *testing.T) {
	t.Parallel()
	e, cli := newEngine(t), runnertest.Docker(t)
	l := labels(t, docker.New(cli, docker.Options{}))
	s := runner.NetworkSpec{Name: "slipway-namesake-" + randomID(), Labels: l}
	first, err := e.CreateNetwork(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	namesake := func() {
		t.Helper()
		// Not by the client, which asks for a check of names.
		body, err := json.Marshal(map[string]any{"Name": s.Name, "Driver": "bridge", "Internal": true, "Labels": l})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := cli.HTTPClient().Post("http://docker/v1.41/networks/create", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			t.Fatal(resp.Status)
		}
	}
	namesake()
	if id, err := e.CreateNetwork(t.Context(), s); err != nil || id != first {
		t.Errorf("with a namesake the network is %q (%v), want %q", id, err, first)
	}
	namesake()
	_, err = e.CreateSandbox(t.Context(), runner.SandboxSpec{Name: s.Name + "-sandbox", Labels: l, NetworkID: first})
	if err != nil {
		t.Errorf("a sandbox on a network with a namesake: %v", err)
	}
}
