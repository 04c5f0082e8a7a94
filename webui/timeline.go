package webui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// phase is what the time of a job or a step goes to.
type phase string

const (
	phaseBlocked phase = "blocked" // for other workflows, for an approval
	phaseQueue   phase = "queue"   // for capacity, or the turn in a group
	phaseSource  phase = "source"  // to fetch and copy the source
	phasePull    phase = "pull"    // for the image
	phaseWait    phase = "wait"    // for a service to answer, or a free slot
	phaseRun     phase = "run"
)

// legendEntry is what a phase is called.
type legendEntry struct {
	bar
	Text string
}

// legend names the phases in their order.
func legend() []legendEntry {
	return []legendEntry{
		{bar{Phase: phaseBlocked}, "waits for others"}, {bar{Phase: phaseQueue}, "queue"}, {bar{Phase: phaseSource}, "source"},
		{bar{Phase: phasePull}, "image pull"}, {bar{Phase: phaseWait}, "wait for a service or a slot"}, {bar{Phase: phaseRun}, "run"},
	}
}

// shown is how long a phase lasts that is worth a place in the timeline.
const shown = 50 * time.Millisecond

// timelineView is where the time of a build went.
type timelineView struct {
	Ticks   []tick
	Rows    []timeRow
	Carried []string // workflows that ran in another build
}

// tick is a mark of the scale.
type tick struct{ At, Text string }

// timeRow is a job or a step in the timeline.
type timeRow struct {
	Name   string
	Path   string // "" for a job
	Status store.Status
	Step   bool
	Bars   []bar
}

// Words tell how long the phases lasted, each once. Those that would be "0.0s"
// are left to the bars.
func (r timeRow) Words() string {
	var words []string
	lasted := map[string]time.Duration{}
	for _, b := range r.Bars {
		if lasted[b.Word()] == 0 {
			words = append(words, b.Word())
		}
		lasted[b.Word()] += b.D
	}
	var parts []string
	for _, word := range words {
		if word == string(phaseRun) || lasted[word] >= time.Second/10 {
			parts = append(parts, word+" "+formatDuration(lasted[word]))
		}
	}
	return strings.Join(parts, " · ")
}

// bar is a phase of a row. X and W are of the timeline's width, in percent.
type bar struct {
	Phase phase
	X, W  string
	D     time.Duration
}

// Word is what the phase is called beside its length.
func (b bar) Word() string {
	if b.Phase == phaseBlocked {
		return "waiting"
	}
	return string(b.Phase)
}

// Y and H are the place and height of the bar in a row 20 high: phases differ in
// form too, and not in colour alone.
func (b bar) Y() int { return (20 - b.H()) / 2 }

// H is the height of the bar.
func (b bar) H() int {
	switch b.Phase {
	case phaseRun:
		return 14
	case phasePull:
		return 10
	case phaseSource:
		return 8
	case phaseWait:
		return 4
	default:
		return 2
	}
}

// newTimeline works out where the time of a build went.
func newTimeline(p *buildPage) *timelineView {
	v := &timelineView{}
	begin, end := p.Build.CreatedAt, p.Now
	if p.Ended() {
		end = p.Build.FinishedAt
	}
	s := scale{begin, max(end.Sub(begin), time.Millisecond)}
	v.Ticks = s.ticks()
	for i := range p.Jobs {
		j := &p.Jobs[i]
		if j.CarriedFrom != 0 {
			v.Carried = append(v.Carried, fmt.Sprintf("%s ran in build #%d", j.Name, j.CarriedFrom))
			continue
		}
		if j.Plan.Skip != "" {
			continue
		}
		v.Rows = append(v.Rows, timeRow{Name: j.Name, Status: j.Status, Bars: s.jobBars(j, end)})
		for k := range j.Steps {
			if st := &j.Steps[k]; !st.StartedAt.IsZero() {
				v.Rows = append(v.Rows, timeRow{Name: st.Name, Path: st.Path, Status: st.Status, Step: true, Bars: s.stepBars(j, st, end)})
			}
		}
	}
	return v
}

// scale turns times into places.
type scale struct {
	begin time.Time
	whole time.Duration
}

func (s scale) percent(d time.Duration) string {
	return strconv.FormatFloat(100*float64(d)/float64(s.whole), 'f', 2, 64) + "%"
}

// ticks are at most seven, at lengths that people count in.
func (s scale) ticks() (out []tick) {
	step, last := time.Second/10, s.whole*95/100 // one at the end would stand out of it
	for _, next := range []time.Duration{
		time.Second / 5, time.Second / 2, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	} {
		if last/step <= 7 {
			break
		}
		step = next
	}
	step = max(step, last/7)
	for at := step; at <= last; at += step {
		out = append(out, tick{s.percent(at), formatDuration(at)})
	}
	return out
}

// add appends a phase if it is long enough to be seen.
func (s scale) add(bars []bar, what phase, from, to time.Time) []bar {
	if from.Before(s.begin) {
		from = s.begin
	}
	d := to.Sub(from)
	if from.IsZero() || d < shown && what != phaseRun || d < 0 {
		return bars
	}
	return append(bars, bar{what, s.percent(from.Sub(s.begin)), s.percent(d), d})
}

// orElse is a time that has come, else another.
func orElse(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}

func (s scale) jobBars(j *jobView, end time.Time) (bars []bar) {
	end = orElse(j.FinishedAt, end)
	queued := orElse(j.QueuedAt, end)
	bars = s.add(bars, phaseBlocked, j.CreatedAt, queued)
	started := orElse(j.StartedAt, end)
	if !j.QueuedAt.IsZero() {
		bars = s.add(bars, phaseQueue, queued, started)
	}
	if j.StartedAt.IsZero() {
		return bars
	}
	sourced := j.SourcedAt
	if sourced.IsZero() && !j.Status.Final() {
		sourced = end
	}
	sourced = orElse(sourced, started) // of an older build it is not known
	bars = s.add(bars, phaseSource, started, sourced)
	return s.add(bars, phaseRun, sourced, end)
}

// stepBars tells apart what a step waited for. What is warmed up before its turn
// costs it nothing.
func (s scale) stepBars(j *jobView, st *stepView, end time.Time) (bars []bar) {
	end = orElse(st.FinishedAt, end)
	turn := st.StartedAt
	if ready := s.ready(j, st); ready.Before(turn) {
		bars = s.add(bars, phaseWait, ready, turn) // for a free slot
	}
	if st.ImagedAt.IsZero() && st.RanAt.IsZero() && st.Exited {
		return s.add(bars, phaseRun, turn, end) // of an older build no more is known
	}
	imaged := within(orElse(st.ImagedAt, end), turn, end)
	bars = s.add(bars, phasePull, turn, imaged)
	ran := within(orElse(st.RanAt, end), imaged, end)
	sourced := within(j.SourcedAt, imaged, ran)
	bars = s.add(bars, phaseSource, imaged, sourced)
	bars = s.add(bars, phaseWait, sourced, ran)
	if st.RanAt.IsZero() {
		return bars
	}
	return s.add(bars, phaseRun, ran, end)
}

// ready is when everything had ended that a step waits for.
func (s scale) ready(j *jobView, st *stepView) time.Time {
	at := j.StartedAt
	planned := j.planned(st.Number)
	if planned == nil || at.IsZero() {
		return st.StartedAt
	}
	for i := range j.Steps {
		d := &j.Steps[i]
		for _, name := range planned.DependsOn {
			if d.Name == name && d.FinishedAt.After(at) {
				at = d.FinishedAt
			}
		}
		if d.Service() { // it only has to be started
			at = latest(at, d.RanAt)
		}
	}
	return at
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// within moves a time into a span.
func within(t, from, to time.Time) time.Time {
	switch {
	case t.Before(from):
		return from
	case t.After(to):
		return to
	default:
		return t
	}
}
