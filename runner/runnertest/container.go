package runnertest

import (
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// container is a fake container.
type container struct {
	id      string
	spec    runner.ContainerSpec
	program Program
	volume  *volume // nil if it has none
	record  record  // all of its output
	// term is closed by SIGTERM, killed by SIGKILL, done when it has ended.
	term, killed, done chan struct{}
	termOnce, killOnce sync.Once
	lines              chan string // what its gate was given; nil if it has none
	occupies           bool        // its program has begun; guarded by Engine.mu

	mu        sync.Mutex // guards what follows
	state     runner.ContainerState
	listening map[int]bool // ports
	exec      func(command []string) runner.ExecResult
	usage     runner.Usage
	disk      int64         // bytes
	measured  chan struct{} // closed when the usage was asked for; nil if nobody waits
	// interrupted: it ended because the engine restarted.
	interrupted bool
	oomUnseen   bool
	vacated     bool // its program said so
}

func newContainer(id string, s runner.ContainerSpec, p Program, v *volume, port int) *container {
	s.Labels = maps.Clone(s.Labels)
	var lines chan string
	if s.Gate {
		lines = make(chan string, 16)
	}
	return &container{
		id: id, spec: s, program: p, volume: v, lines: lines,
		record: record{changed: make(chan struct{})},
		term:   make(chan struct{}), killed: make(chan struct{}), done: make(chan struct{}),
		state:     runner.ContainerState{ID: id, ExposedPort: port},
		listening: map[int]bool{},
	}
}

func (c *container) resource() runner.Resource {
	return runner.Resource{Kind: runner.ResourceContainer, ID: c.id, Name: c.spec.Name, Labels: c.spec.Labels}
}

func (c *container) snapshot() runner.ContainerState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// start runs the program in a goroutine that running counts. It does nothing if
// the container was started before or has been killed.
func (c *container) start(running *sync.WaitGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Started || isClosed(c.killed) {
		return
	}
	c.state.Started, c.state.Running, c.state.StartedAt = true, true, time.Now()
	running.Go(func() {
		p := &Process{c: c}
		if !p.gate() {
			c.end(143)
			return
		}
		code := c.program(p)
		if isClosed(c.killed) {
			return // its end was told when it was killed
		}
		c.end(code)
	})
}

// end records the container's end, once.
func (c *container) end(code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if isClosed(c.done) {
		return
	}
	c.state.Running, c.state.ExitCode, c.state.FinishedAt = false, code, time.Now()
	c.record.finish()
	close(c.done)
}

// kill ends the container at once, whatever its program does.
func (c *container) kill() {
	c.killOnce.Do(func() { close(c.killed) })
	c.terminate()
	if c.snapshot().Running {
		c.end(137)
	}
}

// interrupt is kill by the engine's own restart.
func (c *container) interrupt() {
	c.mu.Lock()
	c.interrupted = c.state.Running
	c.mu.Unlock()
	c.kill()
}

func (c *container) terminate() { c.termOnce.Do(func() { close(c.term) }) }

// inVolume returns the path in the volume of an absolute one in the container,
// and whether it is there.
func (c *container) inVolume(path string) (string, bool) {
	rel, ok := strings.CutPrefix(path, strings.TrimSuffix(c.spec.MountPath, "/")+"/")
	return rel, ok && c.volume != nil
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
