package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/slipway-ci/slipway/runner"
)

// runView prints what `slipway run` does: plain lines where it is piped, and on
// a terminal also, below them, what runs and for how long. Its methods may be
// called concurrently.
type runView struct {
	terminal bool

	mu      sync.Mutex // guards what follows
	out     io.Writer
	quiet   bool                 // a shell has the terminal
	running map[string]time.Time // steps by name
	drawn   bool                 // the last line on the terminal is the status line
	colours map[string]lipgloss.Style
}

// palette is what steps are told apart by, where several run at once.
var palette = []lipgloss.Style{
	lipgloss.NewStyle().Foreground(lipgloss.Cyan), lipgloss.NewStyle().Foreground(lipgloss.Magenta),
	lipgloss.NewStyle().Foreground(lipgloss.Blue), lipgloss.NewStyle().Foreground(lipgloss.Yellow),
	lipgloss.NewStyle().Foreground(lipgloss.Green),
}

func newRunView(out io.Writer) *runView {
	return &runView{terminal: isTerminal(out), out: out, running: map[string]time.Time{}, colours: map[string]lipgloss.Style{}}
}

func (v *runView) say(format string, args ...any) {
	v.print(dim.Render("slipway") + "  " + fmt.Sprintf(format, args...) + "\n")
}

// lines prints a step's lines behind its name.
func (v *runView) lines(step string, lines []runner.Line) {
	var b strings.Builder
	for _, l := range lines {
		if l.Open {
			continue // it comes again when it is whole
		}
		text := string(l.Text)
		switch l.Kind {
		case runner.LineCommand:
			text = bold.Render("+ " + text)
		case runner.LineMore:
			text = bold.Render("> " + text)
		case runner.LineNotice:
			text = dim.Render(text)
		}
		b.WriteString(v.name(step) + "  " + text + "\n")
	}
	v.print(b.String())
}

// name is a step's name in its colour.
func (v *runView) name(step string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	style, ok := v.colours[step]
	if !ok {
		style = palette[len(v.colours)%len(palette)]
		v.colours[step] = style
	}
	return style.Render(step)
}

func (v *runView) started(step string, at time.Time) {
	v.mu.Lock()
	v.running[step] = at
	v.mu.Unlock()
	v.print("")
}

func (v *runView) finished(step string, r runner.StepResult) {
	v.mu.Lock()
	delete(v.running, step)
	v.mu.Unlock()
	text := v.name(step) + "  " + colour(string(r.Status))
	if r.Reason != "" {
		text += "  " + r.Reason
	}
	if !r.StartedAt.IsZero() {
		text += "  " + dim.Render(r.FinishedAt.Sub(r.StartedAt).Round(10*time.Millisecond).String())
	}
	v.print(text + "\n")
}

func (v *runView) ended(workflow string, r runner.JobResult) {
	text := "workflow " + bold.Render(workflow) + " " + colour(string(r.Status))
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	v.say("%s", text)
}

// hush stops and resumes printing while a shell has the terminal.
func (v *runView) hush(quiet bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	v.quiet = quiet
}

// print prints text, which is whole lines, above the status line.
func (v *runView) print(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.quiet {
		return
	}
	v.erase()
	_, _ = lipgloss.Fprint(v.out, text) // a closed pipe ends the program by a signal
	if !v.terminal || len(v.running) == 0 {
		return
	}
	var parts []string
	for step, since := range v.running {
		parts = append(parts, fmt.Sprintf("%s %s", step, time.Since(since).Round(time.Second)))
	}
	slices.Sort(parts)
	_, _ = lipgloss.Fprint(v.out, dim.Render("running: "+strings.Join(parts, ", ")))
	v.drawn = true
}

// erase removes the status line. The caller holds mu.
func (v *runView) erase() {
	if v.drawn {
		_, _ = io.WriteString(v.out, "\r\x1b[K")
		v.drawn = false
	}
}

// tick redraws the status line every second until stop is called.
func (v *runView) tick() (stop func()) {
	if !v.terminal {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				v.print("")
			}
		}
	}()
	return func() { close(done); <-ended; v.hush(false) }
}
