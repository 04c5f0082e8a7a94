package runner

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"sync"
)

// sandboxes are those of a job. A step that runs has one to itself: steps at the
// same time never share localhost or a port. Most steps take one of a few that
// are numbered, and leave it to the next when they have ended. A step whose
// sandbox is known by its name, or is not like the others, has its own.
type sandboxes struct {
	mu     sync.Mutex
	made   map[Op]*sandbox // guarded by mu; by the op that creates it
	closed bool            // guarded by mu; no more are made
}

// errSandboxesClosed: the steps have ended, or are left to a later Run.
var errSandboxesClosed = errors.New("the job needs no more sandboxes")

// close lets no more be made, so that those on their way can be waited for.
func (b *sandboxes) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}

// sandbox is one of them, which may still be on its way.
type sandbox struct {
	made chan struct{} // closed when err is set
	err  error
}

// joinsSandbox reports whether the step shares a sandbox's network. What an
// admin trusts with another network has that instead.
func (s *step) joinsSandbox() bool { return s.plan.NetworkMode == "" }

// ownSandbox reports whether the step's sandbox is nobody else's: others know it
// by its name, it resolves names in a way of its own, or what it leaves in it,
// such as a privileged step's rules and routes, is not for the next.
func (s *step) ownSandbox() bool {
	p := s.plan
	return s.background() || p.Privileged || len(p.DNS) > 0 || len(p.DNSSearch) > 0 || len(p.ExtraHosts) > 0
}

// takesSandbox reports whether the step takes a sandbox that others have too,
// one after the other.
func (s *step) takesSandbox() bool { return s.joinsSandbox() && !s.ownSandbox() }

// opSandbox names the creation of the step's sandbox.
func (s *step) opSandbox() Op {
	if s.ownSandbox() {
		return s.opOf(OpCreateSandbox, 0)
	}
	return Op{Kind: OpCreateSandbox, Attempt: s.slot}
}

// takenSlot returns the number of the sandbox that an earlier Run recorded for
// the step's attempt, 0 if there is none.
func (s *step) takenSlot() int {
	rec, _ := s.run.record(s.op(OpTakeSandbox))
	n, _ := strconv.Atoi(rec.ID) // 0 if nothing was recorded
	return n
}

// assignSlot gives a step that is launched or made warm the first sandbox that no
// other step has. What has to end before the step begins is not in its way. Only
// the owner calls it.
func (r *run) assignSlot(s *step) {
	if !s.takesSandbox() || s.slot > 0 {
		return
	}
	before, taken := s.allNeeds(), map[int]bool{}
	for _, t := range r.steps {
		if t.lingers || !t.done && !before[t] {
			taken[t.slot] = true
		}
	}
	for s.slot = 1; taken[s.slot]; s.slot++ {
	}
}

// allNeeds are the steps that s waits for, directly or not.
func (s *step) allNeeds() map[*step]bool {
	all, rest := map[*step]bool{}, s.needs
	for len(rest) > 0 {
		d := rest[0]
		rest = rest[1:]
		if !all[d] {
			all[d] = true
			rest = append(rest[:len(rest):len(rest)], d.needs...)
		}
	}
	return all
}

// prepareSandboxes starts to create the sandboxes that the job will need at once,
// so that they are there when their turn comes.
func (r *run) prepareSandboxes() {
	for _, s := range r.steps {
		if s.background() && s.joinsSandbox() && !s.done && s.plan.Skip == "" {
			r.openSandbox(s.opSandbox(), s.sandboxSpec())
		}
	}
	for n := 1; n <= r.width(); n++ {
		op := Op{Kind: OpCreateSandbox, Attempt: n}
		r.openSandbox(op, r.job.sandboxSpec(op))
	}
}

// width is how many numbered sandboxes the steps that are left need, if steps
// that may run together take equally long and none fails.
func (r *run) width() int {
	ended := map[*step]bool{}
	for _, s := range r.steps {
		ended[s] = s.done || s.plan.Skip != "" || s.background()
	}
	widest := 0
	for {
		var now []*step
		for _, s := range r.steps {
			if !ended[s] && allEnded(s.needs, ended) {
				now = append(now, s)
			}
		}
		if len(now) == 0 {
			return min(widest, r.limit.steps)
		}
		n := 0
		for _, s := range now {
			ended[s] = true
			if s.takesSandbox() {
				n++
			}
		}
		widest = max(widest, n)
	}
}

func allEnded(steps []*step, ended map[*step]bool) bool {
	for _, s := range steps {
		if !ended[s] {
			return false
		}
	}
	return true
}

// openSandbox creates a sandbox as soon as there is a network, or returns the one
// that is there or on its way. It may be called concurrently.
func (r *run) openSandbox(op Op, spec SandboxSpec) *sandbox {
	r.sandboxes.mu.Lock()
	defer r.sandboxes.mu.Unlock()
	if b := r.sandboxes.made[op]; b != nil {
		return b
	}
	b := &sandbox{made: make(chan struct{})}
	if r.sandboxes.closed {
		b.err = errSandboxesClosed
		close(b.made)
		return b
	}
	if r.sandboxes.made == nil {
		r.sandboxes.made = map[Op]*sandbox{}
	}
	r.sandboxes.made[op] = b
	r.setup.running.Go(func() {
		b.err = r.createSandbox(op, spec)
		close(b.made)
		if b.err != nil {
			r.forgetSandbox(op)
		}
	})
	return b
}

func (r *run) createSandbox(op Op, spec SandboxSpec) error {
	select {
	case <-r.setup.networkMade:
	case <-r.work.Done():
	}
	if r.work.Err() != nil {
		return context.Cause(r.work)
	}
	spec.NetworkID = r.setup.network
	_, err := r.do(op, func(ctx context.Context) (string, error) { return r.eng.CreateSandbox(ctx, spec) })
	return err
}

// forgetSandbox makes the next one who wants a sandbox ask the engine for it,
// unless that is being asked.
func (r *run) forgetSandbox(op Op) {
	r.sandboxes.mu.Lock()
	defer r.sandboxes.mu.Unlock()
	if b := r.sandboxes.made[op]; b != nil && b.over() {
		delete(r.sandboxes.made, op)
	}
}

// over reports whether the creation has ended.
func (b *sandbox) over() bool {
	select {
	case <-b.made:
		return true
	default:
		return false
	}
}

// takeSandbox has the attempt's sandbox created, if there is to be one, and
// records which it is before there is a container for it.
func (s *step) takeSandbox() error {
	r := s.run
	if s.joinsSandbox() {
		r.openSandbox(s.opSandbox(), s.sandboxSpec())
	}
	if !s.takesSandbox() {
		return nil
	}
	slot := strconv.Itoa(s.slot)
	_, err := r.do(s.op(OpTakeSandbox), func(context.Context) (string, error) { return slot, nil })
	return err
}

// awaitSandbox returns when the sandbox that the attempt runs in, if any, is
// there. If ctx ends before, the error is its cause.
func (s *step) awaitSandbox(ctx context.Context) error {
	if !s.joinsSandbox() {
		return nil
	}
	b := s.run.openSandbox(s.opSandbox(), s.sandboxSpec())
	select {
	case <-b.made:
		return cmp.Or(context.Cause(ctx), b.err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// doubtSandbox has the step's sandbox looked at again before it is used again,
// after an error that may be the sandbox's.
func (s *step) doubtSandbox() {
	if s.joinsSandbox() {
		s.run.forgetSandbox(s.opSandbox())
	}
}

// sandboxSpec describes a sandbox of the job, save for its network.
func (j *Job) sandboxSpec(op Op) SandboxSpec {
	return SandboxSpec{
		Name:     SandboxName(j.Server, j.ID, op.Step, op.Attempt),
		Labels:   j.labels(0),
		Metadata: j.AllowMetadata,
	}
}

// sandboxSpec describes the step's sandbox.
func (s *step) sandboxSpec() SandboxSpec {
	spec := s.run.job.sandboxSpec(s.opSandbox())
	if s.ownSandbox() {
		spec.Aliases = []string{s.plan.Name}
		spec.DNS, spec.DNSSearch, spec.ExtraHosts = s.plan.DNS, s.plan.DNSSearch, s.plan.ExtraHosts
	}
	return spec
}

// firstSandbox is the name of the sandbox that may stand ready with its network,
// empty if the job needs none of its kind.
func (r *run) firstSandbox() string {
	if r.width() == 0 || r.job.AllowMetadata {
		return ""
	}
	return SandboxName(r.job.Server, r.job.ID, 0, 1)
}
