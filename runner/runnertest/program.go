package runnertest

import (
	"io"

	"github.com/slipway-ci/slipway/runner"
)

// A Program is what a container of an Engine runs; its result is the exit code.
// It returns soon after Process.Killed is closed. In a container with a gate it
// begins when that was opened.
type Program func(p *Process) (exitCode int)

// A Process is a running Program's view of its container.
type Process struct {
	c    *container
	line string
}

// gate waits for the container's gate to be opened, if it has one, and reports
// whether it was.
func (p *Process) gate() bool {
	if p.c.lines == nil {
		return true
	}
	select {
	case p.line = <-p.c.lines:
		return true
	case <-p.c.term:
		return false
	}
}

// Line is what opened the container's gate.
func (p *Process) Line() string { return p.line }

// Spec is what the container was made from.
func (p *Process) Spec() runner.ContainerSpec { return p.c.spec }

// Stdout takes output; it never blocks, and drops what a killed process writes.
func (p *Process) Stdout() io.Writer { return stream{&p.c.record, runner.StreamStdout} }

// Stderr is as Stdout.
func (p *Process) Stderr() io.Writer { return stream{&p.c.record, runner.StreamStderr} }

// Terminated is closed by SIGTERM, and by SIGKILL.
func (p *Process) Terminated() <-chan struct{} { return p.c.term }

// Killed is closed by SIGKILL. The container has then ended with 137, whatever
// the program returns.
func (p *Process) Killed() <-chan struct{} { return p.c.killed }

// File returns a file of the container's volume by its absolute path.
func (p *Process) File(path string) (content string, ok bool) {
	rel, ok := p.c.inVolume(path)
	if !ok {
		return "", false
	}
	v := p.c.volume
	v.mu.Lock()
	defer v.mu.Unlock()
	content, ok = v.files[rel]
	return content, ok
}

// SetFile writes a file into the container's volume.
func (p *Process) SetFile(path, content string) {
	if rel, ok := p.c.inVolume(path); ok {
		p.c.volume.write(rel, content)
	}
}

// Vacate says that the program does nothing more in its sandbox although its
// container has yet to end, as a script's last process does.
func (p *Process) Vacate() {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.vacated = true
}

// SetOOMKilled makes the container one that ran out of memory.
func (p *Process) SetOOMKilled() {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.state.OOMKilled = true
}

// SetOOMKilledUnseen makes it one whose engine hears of that after its end: its
// state does not say so, its Ending does.
func (p *Process) SetOOMKilledUnseen() {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.oomUnseen = true
}

// Listen makes the container listen on a TCP port.
func (p *Process) Listen(port int) {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.listening[port] = true
}

// OnExec sets what answers a command that Exec runs in the container. Without
// it the container has no commands. answer may be called concurrently.
func (p *Process) OnExec(answer func(command []string) runner.ExecResult) {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.exec = answer
}

// Exit returns a program that ends at once.
func Exit(code int) Program { return func(*Process) int { return code } }

// Print returns a program that writes text to stdout and ends with code.
func Print(text string, code int) Program {
	return func(p *Process) int {
		io.WriteString(p.Stdout(), text)
		return code
	}
}

// Block returns a program that runs until SIGTERM, which ends it with 143.
func Block() Program { return Until(nil, 0) }

// Until returns a program that ends with code when done is closed, or with 143
// by SIGTERM before.
func Until(done <-chan struct{}, code int) Program {
	return func(p *Process) int {
		select {
		case <-done:
			return code
		case <-p.Terminated():
			return 143
		}
	}
}

// Stubborn returns a program that ignores SIGTERM.
func Stubborn() Program {
	return func(p *Process) int {
		<-p.Killed()
		return 137
	}
}

// Then returns a program that runs programs one after the other until one does
// not end with 0, or the process is told to end.
func Then(programs ...Program) Program {
	return func(p *Process) int {
		for _, program := range programs {
			if code := program(p); code != 0 {
				return code
			}
		}
		return 0
	}
}

// Use says what the container has used by now. The channel is closed when
// Engine.Usage has told somebody.
func (p *Process) Use(u runner.Usage) (measured <-chan struct{}) {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.usage, p.c.measured = u, make(chan struct{})
	return p.c.measured
}

// Fill says how much of the disk the container takes, in bytes.
func (p *Process) Fill(bytes int64) {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.disk = bytes
}
