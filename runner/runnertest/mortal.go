package runnertest

import (
	"context"
	"io"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// mortal is an Engine as one process has it: each call is a transition of its
// life, and has no effect after it.
type mortal struct {
	runner.Engine
	life   *life
	name   func(id string) string // of a container, the same for each trial
	ending func() bool            // the job's steps have ended
}

func (m mortal) do(ctx context.Context, what, subject string, effect func(context.Context) error) error {
	if subject != "" {
		what += " " + subject
	}
	return m.life.do(ctx, what, effect)
}

// undo is do for what is tried again and again when it fails. It seems to succeed
// after the end of the life: the dead would only take longer to notice.
func (m mortal) undo(ctx context.Context, what, subject string, effect func(context.Context) error) error {
	if err := m.do(ctx, what, subject, effect); err != nil && !m.life.isDead() {
		return err
	}
	return nil
}

func (m mortal) PullImage(ctx context.Context, s runner.ImageSpec, progress io.Writer) error {
	return m.do(ctx, "pull", "", func(ctx context.Context) error { return m.Engine.PullImage(ctx, s, progress) })
}

func (m mortal) CreateNetwork(ctx context.Context, s runner.NetworkSpec) (id string, err error) {
	err = m.do(ctx, "create network", "", func(ctx context.Context) error {
		id, err = m.Engine.CreateNetwork(ctx, s)
		return err
	})
	return id, err
}

func (m mortal) CreateSandbox(ctx context.Context, s runner.SandboxSpec) (id string, err error) {
	err = m.do(ctx, "create sandbox", m.name(s.Name), func(ctx context.Context) error {
		id, err = m.Engine.CreateSandbox(ctx, s)
		return err
	})
	return id, err
}

func (m mortal) Open(ctx context.Context, id, line string) error {
	return m.do(ctx, "open", m.name(id), func(ctx context.Context) error { return m.Engine.Open(ctx, id, line) })
}

func (m mortal) CreateVolume(ctx context.Context, s runner.VolumeSpec) (id string, err error) {
	err = m.do(ctx, "create volume", "", func(ctx context.Context) error {
		id, err = m.Engine.CreateVolume(ctx, s)
		return err
	})
	return id, err
}

func (m mortal) CreateContainer(ctx context.Context, s runner.ContainerSpec) (id string, err error) {
	err = m.do(ctx, "create", m.name(s.Name), func(ctx context.Context) error {
		id, err = m.Engine.CreateContainer(ctx, s)
		return err
	})
	return id, err
}

func (m mortal) FillVolume(ctx context.Context, s runner.FillSpec, r io.Reader) error {
	return m.do(ctx, "fill", "", func(ctx context.Context) error { return m.Engine.FillVolume(ctx, s, r) })
}

func (m mortal) Attach(ctx context.Context, id string) (out runner.Output, err error) {
	err = m.do(ctx, "attach", m.name(id), func(context.Context) error {
		out, err = m.Engine.Attach(m.life.alive, id)
		return err
	})
	return out, err
}

func (m mortal) Start(ctx context.Context, id string) error {
	return m.do(ctx, "start", m.name(id), func(ctx context.Context) error { return m.Engine.Start(ctx, id) })
}

func (m mortal) Logs(ctx context.Context, id string, follow bool) (out runner.Output, err error) {
	err = m.do(ctx, "logs", m.name(id), func(context.Context) error {
		out, err = m.Engine.Logs(m.life.alive, id, follow)
		return err
	})
	return out, err
}

func (m mortal) Inspect(ctx context.Context, id string) (st runner.ContainerState, err error) {
	err = m.do(ctx, "inspect", m.name(id), func(ctx context.Context) error {
		st, err = m.Engine.Inspect(ctx, id)
		return err
	})
	return st, err
}

func (m mortal) Wait(ctx context.Context, id string) (st runner.ContainerState, err error) {
	err = m.do(ctx, "wait", m.name(id), func(ctx context.Context) error {
		st, err = m.Engine.Wait(ctx, id)
		return err
	})
	return st, err
}

func (m mortal) Ending(ctx context.Context, id string) (end runner.Ending, err error) {
	err = m.do(ctx, "ending", m.name(id), func(ctx context.Context) error {
		end, err = m.Engine.Ending(ctx, id)
		return err
	})
	return end, err
}

func (m mortal) Exec(ctx context.Context, id string, command []string) (res runner.ExecResult, err error) {
	err = m.do(ctx, "exec", m.name(id), func(ctx context.Context) error {
		res, err = m.Engine.Exec(ctx, id, command)
		return err
	})
	return res, err
}

func (m mortal) Listening(ctx context.Context, id string, port int) (listening bool, err error) {
	err = m.do(ctx, "listening", m.name(id), func(ctx context.Context) error {
		listening, err = m.Engine.Listening(ctx, id, port)
		return err
	})
	return listening, err
}

func (m mortal) Stop(ctx context.Context, id string, grace time.Duration) error {
	m.life.stop(id, m.ending())
	return m.undo(ctx, "stop", m.name(id), func(ctx context.Context) error { return m.Engine.Stop(ctx, id, grace) })
}

func (m mortal) RemoveContainer(ctx context.Context, id string) error {
	return m.undo(ctx, "remove", m.name(id), func(ctx context.Context) error { return m.Engine.RemoveContainer(ctx, id) })
}

func (m mortal) RemoveNetwork(ctx context.Context, id string) error {
	return m.undo(ctx, "remove network", "", func(ctx context.Context) error { return m.Engine.RemoveNetwork(ctx, id) })
}

func (m mortal) RemoveVolume(ctx context.Context, id string) error {
	return m.undo(ctx, "remove volume", "", func(ctx context.Context) error { return m.Engine.RemoveVolume(ctx, id) })
}

func (m mortal) List(ctx context.Context, labels map[string]string) (found []runner.Resource, err error) {
	err = m.undo(ctx, "list", "", func(ctx context.Context) error {
		found, err = m.Engine.List(ctx, labels)
		return err
	})
	return found, err
}
