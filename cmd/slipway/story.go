package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

// story prints what happens in the demo, as it happens. Its methods may be
// called concurrently.
type story struct {
	start time.Time

	mu   sync.Mutex // guards what follows
	out  io.Writer
	seen map[string]string // what was told of a build, step or status last
	// commits are the SHAs that were built.
	commits []string
}

func newStory(out io.Writer) *story {
	return &story{start: time.Now(), out: out, seen: map[string]string{}}
}

var (
	dim   = lipgloss.NewStyle().Faint(true)
	bold  = lipgloss.NewStyle().Bold(true)
	green = lipgloss.NewStyle().Foreground(lipgloss.Green)
	red   = lipgloss.NewStyle().Foreground(lipgloss.Red)
	amber = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
)

func (s *story) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line(fmt.Sprintf(format, args...))
}

// line prints a line with the time since the start. The caller holds mu.
func (s *story) line(text string) {
	at := dim.Render(fmt.Sprintf("%6.2fs", time.Since(s.start).Seconds()))
	_, _ = lipgloss.Fprintln(s.out, at+"  "+text) // a closed terminal ends the demo by a signal
}

func (s *story) opening(page, github, admin string) {
	s.say("web page            %s", bold.Render(page))
	s.say("stand-in for GitHub %s", github)
	s.say("admin token         %s (for %s/login: cancel, restart)", admin, page)
}

func (s *story) verdict(sha string, st githubtest.Status) {
	s.say("%s GitHub has the verdict on %.7s: %s", bold.Render("→"), sha, bold.Render(colour(st.State)+" "+st.Description))
}

func (s *story) invite(page string, repo *githubtest.Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = lipgloss.Fprintf(s.out, `
Look at the build at %s, and push a commit of your own:

    git clone %s
    cd %s
    echo "Hello from me" >> site/index.txt
    git commit -am "Say more"
    git push

Ctrl-C ends the demo and removes all that it made.

`, bold.Render(page), repo.CloneURL(), repo.Name())
}

// tell prints what changes in the store and on the stand-in from now on until
// stop is called, which returns when all that happened before has been told.
func (s *story) tell(ctx context.Context, st *store.Store, gh *githubtest.Server) (stop func()) {
	sub := st.Subscribe()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	told := make(chan struct{})
	go func() {
		defer close(told)
		defer sub.Close()
		for ended := false; !ended; {
			events, err := sub.Next(ctx)
			if ended = err != nil; ended {
				events = sub.Take()
			}
			s.tellEvents(context.WithoutCancel(ctx), events, st, gh)
		}
	}()
	return func() { cancel(); <-told }
}

func (s *story) tellEvents(ctx context.Context, events []store.Event, st *store.Store, gh *githubtest.Server) {
	for _, e := range events {
		switch e.Kind {
		case store.DeliveryChanged:
			s.tellDeliveries(ctx, st)
		case store.BuildChanged:
			s.tellBuild(ctx, st, e.BuildID)
		case store.StatusChanged:
			s.tellStatuses(gh)
		}
	}
}

// news prints text if it is not what was told under key last.
func (s *story) news(key, state, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[key] != state {
		s.seen[key] = state
		s.line(fmt.Sprintf(format, args...))
	}
}

func (s *story) tellDeliveries(ctx context.Context, st *store.Store) {
	deliveries, err := st.Deliveries(ctx, store.DeliveryFilter{Limit: 10})
	if err != nil {
		return
	}
	for i := len(deliveries) - 1; i >= 0; i-- {
		d := deliveries[i]
		outcome := ""
		if d.Outcome != "" {
			outcome = ": " + d.Outcome
		}
		s.news("delivery "+d.GUID, string(d.Status), "webhook  %-12s %s%s", d.Event, colour(string(d.Status)), outcome)
	}
}

func (s *story) tellBuild(ctx context.Context, st *store.Store, id int64) {
	b, err := st.BuildByID(ctx, id)
	if err != nil {
		return
	}
	s.remember(b.SHA)
	message, _, _ := strings.Cut(b.Message, "\n")
	s.news(fmt.Sprintf("build %d", id), string(b.Status), "build    #%-11d %s  %s", b.Number, colour(string(b.Status)),
		dim.Render(fmt.Sprintf("%.7s %s", b.SHA, message)))
	jobs, err := st.Jobs(ctx, id)
	if err != nil {
		return
	}
	for _, j := range jobs {
		steps, err := st.Steps(ctx, j.ID)
		if err != nil {
			return
		}
		for _, step := range steps {
			if step.Status != store.Blocked {
				s.news(fmt.Sprintf("step %d", step.ID), string(step.Status), "step     %-12s %s%s", step.Name,
					colour(string(step.Status)), aside(step))
			}
		}
	}
}

// aside is what is worth saying of a step beside its status.
func aside(step store.Step) string {
	switch {
	case step.Reason != "":
		return "  " + dim.Render(step.Reason)
	case step.Status == store.Success:
		return "  " + dim.Render("in "+step.Duration(step.FinishedAt).Round(time.Millisecond).String())
	case step.Kind == "service":
		return "  " + dim.Render("service")
	default:
		return ""
	}
}

func (s *story) tellStatuses(gh *githubtest.Server) {
	s.mu.Lock()
	commits := slices.Clone(s.commits)
	s.mu.Unlock()
	for _, r := range gh.Repos() {
		for _, sha := range commits {
			for _, st := range r.Statuses(sha) {
				s.news(fmt.Sprintf("status %d", st.ID), "told", "status   %-12s %s  %s", st.Context, colour(st.State), dim.Render(st.Description))
			}
		}
	}
}

// remember makes a commit one that statuses are told of.
func (s *story) remember(sha string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.commits, sha) {
		s.commits = append(s.commits, sha)
	}
}

// colour renders a state in the colour of what it means.
func colour(state string) string {
	switch state {
	case "success", "done":
		return green.Render(state)
	case "failure", "error", "failed", "canceled":
		return red.Render(state)
	default:
		return amber.Render(state)
	}
}
