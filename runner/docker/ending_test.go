package docker_test

import (
	"context"
	"io"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
)

// remembering is an engine that tells of a killed container, whose state does not
// say that memory ran out, what it remembers.
type remembering struct {
	client.APIClient
	actions []events.Action
}

func (r remembering) ContainerInspect(context.Context, string) (container.InspectResponse, error) {
	return container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{ID: "c1", State: &container.State{
		ExitCode: 137, StartedAt: "2026-01-02T03:04:05Z", FinishedAt: "2026-01-02T03:04:06Z",
	}}}, nil
}

func (r remembering) Events(context.Context, events.ListOptions) (<-chan events.Message, <-chan error) {
	messages, end := make(chan events.Message), make(chan error, 1)
	go func() {
		for _, a := range r.actions {
			messages <- events.Message{Type: events.ContainerEventType, Action: a, Actor: events.Actor{ID: "c1"}}
		}
		end <- io.EOF
	}()
	return messages, end
}

// TestEndingTellsOfMemory: an engine may hear that memory ran out after the end
// that came of it, when it is too late for the container's state.
func TestEndingTellsOfMemory(t *testing.T) {
	for name, tt := range map[string]struct {
		actions []events.Action
		want    runner.Ending
	}{
		"before the end": {[]events.Action{events.ActionStart, events.ActionOOM, events.ActionDie}, runner.Ending{OOMKilled: true}},
		"after the end":  {[]events.Action{events.ActionStart, events.ActionDie, events.ActionOOM}, runner.Ending{OOMKilled: true}},
		"never":          {[]events.Action{events.ActionStart, events.ActionDie}, runner.Ending{}},
		"restarted":      {[]events.Action{events.ActionKill, events.ActionDie}, runner.Ending{Interrupted: "the Docker engine restarted"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := docker.New(remembering{actions: tt.actions}, docker.Options{})
			if got, err := e.Ending(t.Context(), "c1"); err != nil || got != tt.want {
				t.Errorf("%+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}
