package runnertest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/runnertest"
)

var errBoom = errors.New("boom")

func TestFailNthCall(t *testing.T) {
	e, ctx := runnertest.NewEngine(t), t.Context()
	e.Fail("CreateVolume", 2, errBoom)
	for i, want := range []error{nil, errBoom, nil} {
		if _, err := e.CreateVolume(ctx, runner.VolumeSpec{Name: "v"}); !errors.Is(err, want) {
			t.Errorf("call %d: error %v, want %v", i+1, err, want)
		}
	}
	if got := e.Count("CreateVolume"); got != 3 {
		t.Errorf("Count = %d, want 3", got)
	}
}

func TestLoseTakesEffect(t *testing.T) {
	e, ctx := runnertest.NewEngine(t), t.Context()
	labels := map[string]string{"a": "b"}
	e.Lose("CreateNetwork", 1, errBoom)
	if id, err := e.CreateNetwork(ctx, runner.NetworkSpec{Name: "n", Labels: labels}); id != "" || !errors.Is(err, errBoom) {
		t.Fatalf("CreateNetwork = %q, %v, want the error and no ID", id, err)
	}
	found, err := e.List(ctx, labels)
	if err != nil || len(found) != 1 {
		t.Fatalf("List = %v, %v, want the network", found, err)
	}
}

func TestHangUntilReleased(t *testing.T) {
	e := runnertest.NewEngine(t)
	reached, release := e.Hang("Ping", 1)
	done := make(chan error, 1)
	go func() { done <- e.Ping(t.Context()) }()
	<-reached
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestHangEndsWithContext(t *testing.T) {
	e := runnertest.NewEngine(t)
	ctx, cancel := context.WithCancel(t.Context())
	reached, _ := e.Hang("Ping", 1)
	done := make(chan error, 1)
	go func() { done <- e.Ping(ctx) }()
	<-reached
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want canceled", err)
	}
}

func TestDownBreaksWaitersAndOutputs(t *testing.T) {
	e, ctx := runnertest.NewEngine(t), t.Context()
	release := make(chan struct{})
	e.Step(1, runnertest.Then(runnertest.Print("one\n", 0), runnertest.Until(release, 4)))
	id, err := e.CreateContainer(ctx, runner.ContainerSpec{Name: "c", Labels: map[string]string{runner.LabelStep: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Attach(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := e.Start(ctx, id); err != nil {
		t.Fatal(err)
	}
	broken := make(chan error, 2)
	go func() { broken <- out.Copy(io.Discard, io.Discard) }()
	go func() { _, err := e.Wait(ctx, id); broken <- err }()
	e.Down(errBoom)
	for range 2 {
		if err := <-broken; !errors.Is(err, errBoom) {
			t.Errorf("error %v, want %v", err, errBoom)
		}
	}
	if err := e.Ping(ctx); !errors.Is(err, errBoom) {
		t.Errorf("Ping: %v, want %v", err, errBoom)
	}

	e.Up()
	close(release)
	if s, err := e.Wait(ctx, id); err != nil || s.ExitCode != 4 {
		t.Errorf("Wait = %+v, %v, want exit code 4: the container ran on", s, err)
	}
	again, err := e.Logs(ctx, id, false)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	var text bytes.Buffer
	if err := again.Copy(&text, io.Discard); err != nil || text.String() != "one\n" {
		t.Errorf("logs %q, %v", text.String(), err)
	}
}

func TestStepProgramsByAttempt(t *testing.T) {
	e, ctx := runnertest.NewEngine(t), t.Context()
	e.Step(2, runnertest.Exit(1), runnertest.Exit(0))
	for attempt, want := range []int{1, 0, 0} {
		id, err := e.CreateContainer(ctx, runner.ContainerSpec{
			Name: string(rune('a' + attempt)), Labels: map[string]string{runner.LabelStep: "2"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(ctx, id); err != nil {
			t.Fatal(err)
		}
		if s, err := e.Wait(ctx, id); err != nil || s.ExitCode != want {
			t.Errorf("attempt %d: exit code %d, %v, want %d", attempt, s.ExitCode, err, want)
		}
	}
}
