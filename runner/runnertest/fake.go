package runnertest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/slipway-ci/slipway/runner"
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
	exposed    map[string]int // port, by image
}

var _ runner.Engine = (*Engine)(nil)

// volume is a fake volume: files by absolute path in the container.
type volume struct {
	runner.Resource
	mu    sync.Mutex        // guards files
	files map[string]string // by path in the volume
}

func (v *volume) write(path, content string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.files[path] = content
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
		exposed:    map[string]int{},
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

// Expose makes a TCP port the one that an image exposes.
func (e *Engine) Expose(image string, port int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.exposed[image] = port
}

// Files returns what was copied into a volume, by path in it.
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
func (e *Engine) PullImage(ctx context.Context, s runner.ImageSpec, progress io.Writer) error {
	return e.faults.call(ctx, "PullImage", s.Image, func() error {
		if e.isMissing(s.Image) {
			return fmt.Errorf("%w %s not found: manifest unknown", runner.ErrImage, s.Image)
		}
		_, err := fmt.Fprintf(progress, "pulled %s\n", s.Image)
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
		e.containers[id] = newContainer(id, s, e.program(s), e.volumes[s.VolumeID], e.exposed[s.Image])
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
