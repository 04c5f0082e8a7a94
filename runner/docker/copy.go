package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/docker/docker/api/types/container"

	"github.com/slipway-ci/slipway/runner"
)

// volumeTarget is where a carrier has its volume.
const volumeTarget = "/volume"

// FillVolume implements runner.Engine. The engine takes files by way of a
// container only, which need not run: a carrier, with the volume and nothing else.
// Owners and modes are those of the stream. After an error one Read of r may still
// be under way until r is closed.
func (e *Engine) FillVolume(ctx context.Context, s runner.FillSpec, r io.Reader) error {
	if _, err := e.cli.VolumeInspect(ctx, s.VolumeID); err != nil { // it would be made
		return wrap("fill", "volume", s.VolumeID, err)
	}
	carrier, err := e.carrier(ctx, s)
	if err != nil {
		return fmt.Errorf("fill volume %s: %w", s.VolumeID, err)
	}
	return e.copyTo(ctx, carrier, volumeTarget, r)
}

// carrier makes the carrier, or finds that of an earlier call.
func (e *Engine) carrier(ctx context.Context, s runner.FillSpec) (id string, err error) {
	spec := runner.ContainerSpec{
		Name: s.Name, Labels: s.Labels, Entrypoint: []string{sandboxProgram},
		VolumeID: s.VolumeID, MountPath: volumeTarget,
	}
	for range 2 { // the image may have been removed since it was made
		if spec.Image, err = e.image.ensure(ctx, e); err != nil {
			return "", err
		}
		if id, err = e.CreateContainer(ctx, spec); !errors.Is(err, runner.ErrImage) {
			break
		}
		e.image.forget()
	}
	return id, err
}

// copyTo extracts a tar stream at the absolute path dir of a container.
func (e *Engine) copyTo(ctx context.Context, containerID, dir string, r io.Reader) error {
	src := &tarSource{r: r}
	err := e.cli.CopyToContainer(ctx, containerID, dir, src, container.CopyToContainerOptions{})
	if err != nil {
		src.abandoned.Store(true)
		if cause := src.failure(); cause != nil {
			return fmt.Errorf("copy to container %s: read source: %w", containerID, cause)
		}
		return wrap("copy to", "container", containerID, err)
	}
	if err := src.drain(); err != nil {
		return fmt.Errorf("copy to container %s: read source: %w", containerID, err)
	}
	return nil
}

// tarSource is a request's body. The transport may read it until after the
// answer came; the caller must not find it at its reader then.
type tarSource struct {
	abandoned atomic.Bool
	failed    atomic.Pointer[error]

	mu sync.Mutex // guards r, and is held while it is read
	r  io.Reader
}

func (s *tarSource) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.abandoned.Load() {
		return 0, io.ErrClosedPipe
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed.Store(&err)
	}
	return n, err
}

// failure returns the reader's own error.
func (s *tarSource) failure() error {
	if p := s.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// drain reads what stands behind the end of the archive, so that who writes it
// is not left waiting, and keeps the transport off.
func (s *tarSource) drain() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandoned.Store(true)
	if err := s.failure(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, s.r)
	return err
}
