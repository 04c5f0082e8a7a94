package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
)

// gatePatience is how long an engine may take for a line before it is asked
// whether the container still runs. It takes a millisecond as a rule.
const gatePatience = 100 * time.Millisecond

// errGateEnded: nobody will take the line.
var errGateEnded = errors.New("the container has ended")

// Open implements runner.Engine. It returns when the engine has taken the line:
// it ends the connection once it has passed on all that came before its end. For
// a container that ends before, an engine waits for ever (20.10 does, for
// somebody to read what nobody will).
func (e *Engine) Open(ctx context.Context, containerID, line string) error {
	resp, err := e.attach(ctx, containerID, container.AttachOptions{Stream: true, Stdin: true})
	if err != nil {
		return err
	}
	defer resp.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	var watcher sync.WaitGroup
	defer watcher.Wait()
	defer cancel(nil)
	watcher.Go(func() { e.giveUpGate(ctx, containerID, cancel) })
	stop := context.AfterFunc(ctx, resp.Close)
	defer stop()
	_, err = io.WriteString(resp.Conn, line+"\n")
	if err == nil {
		err = resp.CloseWrite()
	}
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Reader)
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("open the gate of container %s: %w", containerID, err)
	}
	return nil
}

// giveUpGate cancels the opening of a gate when the container does not run. It
// returns when ctx ends.
func (e *Engine) giveUpGate(ctx context.Context, id string, cancel context.CancelCauseFunc) {
	select {
	case <-time.After(gatePatience):
	case <-ctx.Done():
		return
	}
	if e.ended(ctx, id) == nil {
		cancel(errGateEnded)
	}
}
