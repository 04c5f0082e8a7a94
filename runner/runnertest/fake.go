package runnertest

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// Engine is a runner.Engine in memory. Its containers run Programs; its methods
// fail, hang and lose their answers as a test tells them to (see faults.go).
// Everything on it may be called concurrently.
type Engine struct {
	faults   faults
	programs sync.WaitGroup

	mu         sync.Mutex // guards what follows
	lastID     int
	containers map[string]*container      // by ID
	networks   map[string]runner.Resource // by ID
	volumes    map[string]*volume         // by ID
	byStep     map[string][]Program
	choose     func(runner.ContainerSpec) Program
	made       map[string]int // containers made, by step label
	missing    map[string]bool
}

var _ runner.Engine = (*Engine)(nil)

// volume is a fake volume: files by absolute path in the container.
type volume struct {
	runner.Resource
	mu    sync.Mutex // guards files
	files map[string]string
}

// NewEngine returns an empty Engine. At the end of the test it kills what still
// runs and waits for the programs.
func NewEngine(tb testing.TB) *Engine {
	e := &Engine{
		containers: map[string]*container{},
		networks:   map[string]runner.Resource{},
		volumes:    map[string]*volume{},
		byStep:     map[string][]Program{},
		made:       map[string]int{},
		missing:    map[string]bool{},
	}
	e.faults.init()
	tb.Cleanup(e.close)
	return e
}

func (e *Engine) close() {
	e.mu.Lock()
	all := slices.Collect(maps.Values(e.containers))
	e.mu.Unlock()
	for _, c := range all {
		c.kill()
	}
	e.programs.Wait()
}

// Step sets what the containers of a step run: the first container that is made
// for it the first program, and so on; the last is repeated.
func (e *Engine) Step(number int, programs ...Program) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.byStep[fmt.Sprint(number)] = programs
}

// Default sets what containers run for which Step said nothing. Without it, and
// where it returns nil, they exit with 0.
func (e *Engine) Default(choose func(runner.ContainerSpec) Program) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.choose = choose
}

// Missing makes an image one that does not exist in any registry.
func (e *Engine) Missing(image string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.missing[image] = true
}

// Files returns what was copied into a volume, by path in the container.
func (e *Engine) Files(volumeID string) map[string]string {
	e.mu.Lock()
	v := e.volumes[volumeID]
	e.mu.Unlock()
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.files)
}

// Ping implements runner.Engine.
func (e *Engine) Ping(ctx context.Context) error {
	return e.faults.call(ctx, "Ping", "", func() error { return nil })
}

// PullImage implements runner.Engine. It writes one line of progress.
func (e *Engine) PullImage(ctx context.Context, image string, policy pipeline.Pull, progress io.Writer) error {
	return e.faults.call(ctx, "PullImage", image, func() error {
		if e.isMissing(image) {
			return fmt.Errorf("%w %s not found: manifest unknown", runner.ErrImage, image)
		}
		_, err := fmt.Fprintf(progress, "pulled %s\n", image)
		return err
	})
}

func (e *Engine) isMissing(image string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.missing[image]
}

// CreateNetwork implements runner.Engine.
func (e *Engine) CreateNetwork(ctx context.Context, s runner.NetworkSpec) (id string, err error) {
	err = e.faults.call(ctx, "CreateNetwork", s.Name, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, n := range e.networks {
			if n.Name == s.Name {
				id, err = existing(n, s.Labels)
				return err
			}
		}
		id = e.newID("network")
		e.networks[id] = runner.Resource{Kind: runner.ResourceNetwork, ID: id, Name: s.Name, Labels: maps.Clone(s.Labels)}
		return nil
	})
	return idUnless(err, id), err
}

// CreateVolume implements runner.Engine. As with Docker, the ID is the name.
func (e *Engine) CreateVolume(ctx context.Context, s runner.VolumeSpec) (id string, err error) {
	err = e.faults.call(ctx, "CreateVolume", s.Name, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		if v, ok := e.volumes[s.Name]; ok {
			id, err = existing(v.Resource, s.Labels)
			return err
		}
		id = s.Name
		e.volumes[id] = &volume{
			Resource: runner.Resource{Kind: runner.ResourceVolume, ID: id, Name: s.Name, Labels: maps.Clone(s.Labels)},
			files:    map[string]string{},
		}
		return nil
	})
	return idUnless(err, id), err
}

// CreateContainer implements runner.Engine.
func (e *Engine) CreateContainer(ctx context.Context, s runner.ContainerSpec) (id string, err error) {
	err = e.faults.call(ctx, "CreateContainer", s.Name, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range e.containers {
			if c.spec.Name == s.Name {
				id, err = existing(c.resource(), s.Labels)
				return err
			}
		}
		if e.missing[s.Image] {
			return fmt.Errorf("%w %s is not present", runner.ErrImage, s.Image)
		}
		id = e.newID("container")
		e.containers[id] = newContainer(id, s, e.program(s), e.volumes[s.VolumeID])
		return nil
	})
	return idUnless(err, id), err
}

// program picks what the container will run. It is called with mu held.
func (e *Engine) program(s runner.ContainerSpec) Program {
	step := s.Labels[runner.LabelStep]
	if programs := e.byStep[step]; len(programs) > 0 {
		n := min(e.made[step], len(programs)-1)
		e.made[step]++
		return programs[n]
	}
	if e.choose != nil {
		if p := e.choose(s); p != nil {
			return p
		}
	}
	return Exit(0)
}

func (e *Engine) newID(kind string) string {
	e.lastID++
	return fmt.Sprintf("%s-%d", kind, e.lastID)
}

// existing returns the ID of what has the wanted name, if it is ours.
func existing(r runner.Resource, labels map[string]string) (string, error) {
	if !carries(r.Labels, labels) {
		return "", fmt.Errorf("create %s %s: %w", r.Kind, r.Name, runner.ErrConflict)
	}
	return r.ID, nil
}

func carries(have, want map[string]string) bool {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func idUnless(err error, id string) string {
	if err != nil {
		return ""
	}
	return id
}

// CopyTo implements runner.Engine. Only what lands in the container's volume is
// kept.
func (e *Engine) CopyTo(ctx context.Context, containerID, dir string, r io.Reader) error {
	return e.faults.call(ctx, "CopyTo", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				_, err = io.Copy(io.Discard, r)
				return err
			}
			if err != nil {
				return fmt.Errorf("copy to %s: %w", containerID, err)
			}
			content, err := io.ReadAll(tr)
			if err != nil {
				return fmt.Errorf("copy to %s: %w", containerID, err)
			}
			if h.Typeflag == tar.TypeReg {
				c.write(path.Join(dir, h.Name), string(content))
			}
		}
	})
}

// container returns the container with the ID or name.
func (e *Engine) container(id string) (*container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c, ok := e.containers[id]; ok {
		return c, nil
	}
	for _, c := range e.containers {
		if c.spec.Name == id {
			return c, nil
		}
	}
	return nil, fmt.Errorf("container %s: %w", id, runner.ErrNotFound)
}

// Attach implements runner.Engine.
func (e *Engine) Attach(ctx context.Context, containerID string) (runner.Output, error) {
	return e.open(ctx, "Attach", containerID, true)
}

// Logs implements runner.Engine.
func (e *Engine) Logs(ctx context.Context, containerID string, follow bool) (runner.Output, error) {
	return e.open(ctx, "Logs", containerID, follow)
}

func (e *Engine) open(ctx context.Context, method, id string, follow bool) (out runner.Output, err error) {
	err = e.faults.call(ctx, method, id, func() error {
		c, err := e.container(id)
		if err != nil {
			return err
		}
		out = &output{ctx: ctx, record: &c.record, follow: follow, faults: &e.faults, gone: e.faults.gone(), closed: make(chan struct{})}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Start implements runner.Engine.
func (e *Engine) Start(ctx context.Context, containerID string) error {
	return e.faults.call(ctx, "Start", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		c.start(&e.programs)
		return nil
	})
}

// Inspect implements runner.Engine.
func (e *Engine) Inspect(ctx context.Context, containerID string) (s runner.ContainerState, err error) {
	err = e.faults.call(ctx, "Inspect", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		s = c.snapshot()
		return nil
	})
	return s, err
}

// Wait implements runner.Engine.
func (e *Engine) Wait(ctx context.Context, containerID string) (s runner.ContainerState, err error) {
	err = e.faults.call(ctx, "Wait", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil {
			return err
		}
		if err := e.ended(ctx, c); err != nil {
			return err
		}
		s = c.snapshot()
		return nil
	})
	return s, err
}

// ended waits until the container does not run.
func (e *Engine) ended(ctx context.Context, c *container) error {
	if !c.snapshot().Running {
		return nil
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-e.faults.gone():
		return e.faults.why()
	}
}

// Stop implements runner.Engine. The grace period is real time.
func (e *Engine) Stop(ctx context.Context, containerID string, grace time.Duration) error {
	return e.faults.call(ctx, "Stop", containerID, func() error {
		c, err := e.container(containerID)
		if err != nil || !c.snapshot().Running {
			return ignoreNotFound(err)
		}
		if grace > 0 {
			c.terminate()
			timer := time.NewTimer(grace)
			defer timer.Stop()
			select {
			case <-c.done:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			case <-timer.C:
			}
		}
		c.kill()
		return nil
	})
}

// RemoveContainer implements runner.Engine.
func (e *Engine) RemoveContainer(ctx context.Context, id string) error {
	return e.faults.call(ctx, "RemoveContainer", id, func() error {
		c, err := e.container(id)
		if err != nil {
			return ignoreNotFound(err)
		}
		c.kill()
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.containers, c.id)
		return nil
	})
}

func ignoreNotFound(err error) error {
	if errors.Is(err, runner.ErrNotFound) {
		return nil
	}
	return err
}

// RemoveNetwork implements runner.Engine. A network with containers that run is
// not removed.
func (e *Engine) RemoveNetwork(ctx context.Context, id string) error {
	return e.faults.call(ctx, "RemoveNetwork", id, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range e.containers {
			if c.spec.NetworkID == id && c.snapshot().Running {
				return fmt.Errorf("remove network %s: container %s is on it", id, c.spec.Name)
			}
		}
		delete(e.networks, id)
		return nil
	})
}

// RemoveVolume implements runner.Engine. A volume that a container has is not
// removed.
func (e *Engine) RemoveVolume(ctx context.Context, id string) error {
	return e.faults.call(ctx, "RemoveVolume", id, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, c := range e.containers {
			if c.spec.VolumeID == id {
				return fmt.Errorf("remove volume %s: container %s has it", id, c.spec.Name)
			}
		}
		delete(e.volumes, id)
		return nil
	})
}

// List implements runner.Engine. The result is sorted by kind and name.
func (e *Engine) List(ctx context.Context, labels map[string]string) (found []runner.Resource, err error) {
	err = e.faults.call(ctx, "List", "", func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, r := range e.all() {
			if carries(r.Labels, labels) {
				r.Labels = maps.Clone(r.Labels)
				found = append(found, r)
			}
		}
		return nil
	})
	return found, err
}

// all returns everything there is, sorted. It is called with mu held.
func (e *Engine) all() []runner.Resource {
	var rs []runner.Resource
	for _, c := range e.containers {
		rs = append(rs, c.resource())
	}
	for _, n := range e.networks {
		rs = append(rs, n)
	}
	for _, v := range e.volumes {
		rs = append(rs, v.Resource)
	}
	slices.SortFunc(rs, func(a, b runner.Resource) int {
		return strings.Compare(string(a.Kind)+" "+a.Name, string(b.Kind)+" "+b.Name)
	})
	return rs
}
