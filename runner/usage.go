package runner

import (
	"context"
	"fmt"
	"time"
)

// Usage is what a container or a step has used so far. The zero Usage means that
// it is not known: nothing that runs uses nothing.
type Usage struct {
	CPU time.Duration // of all cores together
	// PeakMemory is the most that was seen in bytes, without what the kernel keeps
	// of files and would give back.
	PeakMemory int64
	// PIDLimit is the limit on processes and threads if they have come up to it,
	// else 0.
	//
	// It is known from samples alone, so that a step which fails for it within
	// firstSample is not told why (its output has the kernel's words for it, "can't
	// fork: Resource temporarily unavailable"). The kernel counts the forks that
	// fail, in pids.events of the container's cgroup, v1 and v2, but the cgroup is
	// gone when the engine tells of the container's end; its parent, where v2 of
	// Linux 6.11 counts them too, is that of all containers; and no engine has an
	// event for it. To read it within, a script would need a trap on its exit, which
	// is for its author. A lack of memory needs no samples: the kernel's word of it
	// is in ContainerState.OOMKilled.
	PIDLimit int64
}

// A UsageObserver is an Observer that keeps what a step has used so far, so that
// the peak outlives the process. StepUsed is called now and then while the step
// runs; the last word is StepResult.Usage.
type UsageObserver interface {
	StepUsed(ctx context.Context, step int, u Usage) error
}

const (
	// An engine polls containers once a second while somebody asks (measured:
	// 11 ms for the first answer, then the next full second), so that asking
	// more often gains nothing.
	firstSample = 500 * time.Millisecond
	sampleEvery = 2 * time.Second
	// recordEvery bounds what a killed process forgets, and the writes.
	recordEvery = 30 * time.Second
)

// usage adds up what a step uses. One goroutine at a time uses it.
type usage struct {
	known  Usage // what an earlier Run recorded of the step
	before Usage // the attempts before this one
	now    Usage // this attempt
}

// observe takes a sample of the attempt that runs.
func (u *usage) observe(s Usage) {
	u.now = Usage{CPU: max(u.now.CPU, s.CPU), PeakMemory: max(u.now.PeakMemory, s.PeakMemory), PIDLimit: max(u.now.PIDLimit, s.PIDLimit)}
}

// nextAttempt begins to count another container.
func (u *usage) nextAttempt() { u.before, u.now = u.attempts(), Usage{} }

// attempts is the sum of the attempts.
func (u *usage) attempts() Usage {
	return Usage{CPU: u.before.CPU + u.now.CPU, PeakMemory: max(u.before.PeakMemory, u.now.PeakMemory)}
}

// total is what is known of the step.
func (u *usage) total() Usage {
	sum := u.attempts()
	return Usage{CPU: max(sum.CPU, u.known.CPU), PeakMemory: max(sum.PeakMemory, u.known.PeakMemory)}
}

// sample asks for the container's usage until ctx ends. An engine that does not
// answer, or a container that has just ended, costs a sample and nothing else.
func (x *execution) sample(ctx context.Context, id string) {
	recorded := time.Now()
	for wait := firstSample; pause(ctx, wait) == nil; wait = sampleEvery {
		u, err := x.run.eng.Usage(ctx, id)
		if err != nil {
			continue
		}
		x.used.observe(u)
		if time.Since(recorded) >= recordEvery {
			recorded = time.Now()
			x.recordUsage()
		}
	}
}

// recordUsage stores what the step has used so far.
func (x *execution) recordUsage() {
	o, ok := x.run.obs.(UsageObserver)
	if total := x.used.total(); ok && total != (Usage{}) {
		if err := o.StepUsed(x.run.base, x.step.number, total); err != nil {
			_ = x.run.fail(fmt.Errorf("record usage of step %s: %w", x.step.plan.Name, err))
		}
	}
}
