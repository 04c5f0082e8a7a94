package docker

import (
	"context"
	"fmt"
	"io"

	"github.com/docker/docker/api/types/container"
)

// Open implements runner.Engine. It returns when the engine has taken the line:
// it ends the connection once it has passed on all that came before its end.
func (e *Engine) Open(ctx context.Context, containerID, line string) error {
	resp, err := e.attach(ctx, containerID, container.AttachOptions{Stream: true, Stdin: true})
	if err != nil {
		return err
	}
	defer resp.Close()
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
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("open the gate of container %s: %w", containerID, err)
	}
	return nil
}
