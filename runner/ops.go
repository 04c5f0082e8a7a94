package runner

import (
	"context"
	"fmt"
)

// record returns what an earlier Run recorded of an op.
func (r *run) record(op Op) (OpRecord, bool) {
	rec, ok := r.state.Ops[op.Key()]
	return rec, ok
}

// op names a mutation of the container of the step's attempt.
func (s *step) op(kind OpKind) Op { return s.opOf(kind, s.attempt) }

func (s *step) opOf(kind OpKind, attempt int) Op {
	return Op{Kind: kind, Step: s.number, Attempt: attempt}
}

// opIntended reports whether an earlier Run may have done a mutation.
func (s *step) opIntended(kind OpKind) bool {
	_, ok := s.run.record(s.op(kind))
	return ok
}

// do makes one mutation of the engine: recorded before, recorded after. What f
// is given ends after opTimeout, and not when the job is canceled: a mutation
// is quick, and better known to have been made than cut off.
func (r *run) do(op Op, f func(ctx context.Context) (id string, err error)) (string, error) {
	ctx, cancel := context.WithTimeout(r.base, opTimeout)
	defer cancel()
	return r.doIn(ctx, op, f)
}

// doIn is do for a mutation that takes long; ctx ends it.
func (r *run) doIn(ctx context.Context, op Op, f func(ctx context.Context) (id string, err error)) (string, error) {
	if r.live.Err() != nil {
		return "", context.Cause(r.live)
	}
	if err := r.obs.Intend(r.base, op); err != nil {
		return "", r.fail(fmt.Errorf("record intention to %s: %w", op.Key(), err))
	}
	id, err := f(ctx)
	if err != nil {
		return "", err
	}
	if err := r.obs.Done(r.base, op, id); err != nil {
		return "", r.fail(fmt.Errorf("record that %s is done: %w", op.Key(), err))
	}
	return id, nil
}
