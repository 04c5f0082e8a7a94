package store

import (
	"context"
	"slices"
	"sync"
)

// An Event says that something changed; read the store for what.
type Event struct {
	Kind EventKind
	// The IDs that apply, the others 0.
	RepoID, BuildID, JobID, StepID int64
}

// EventKind is what kind of row changed.
type EventKind string

const (
	DeliveryChanged EventKind = "delivery"
	BuildChanged    EventKind = "build" // also when a job or step of it did
	StatusChanged   EventKind = "status"
	WaitChanged     EventKind = "wait"    // of WaitReason
	SessionEnded    EventKind = "session" // of some person
	RepoChanged     EventKind = "repo"    // who may see it
)

// hub hands events to subscriptions.
type hub struct {
	mu   sync.Mutex // guards subs
	subs map[*Subscription]struct{}
}

func (h *hub) publish(events []Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		s.add(events)
	}
}

// A Subscription collects events until its owner takes them. The same event
// twice is kept once, so it is bounded by what exists, not by what happens.
type Subscription struct {
	hub   *hub
	wake  chan struct{}
	kinds []EventKind // that are collected; none: all

	mu      sync.Mutex // guards pending and order
	pending map[Event]struct{}
	order   []Event
}

// Subscribe returns a new subscription to events of these kinds, to all if none
// are given. The caller closes it.
func (s *Store) Subscribe(kinds ...EventKind) *Subscription {
	sub := &Subscription{hub: &s.events, wake: make(chan struct{}, 1), kinds: kinds, pending: map[Event]struct{}{}}
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	if s.events.subs == nil {
		s.events.subs = map[*Subscription]struct{}{}
	}
	s.events.subs[sub] = struct{}{}
	return sub
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subs, s)
}

// Wake is readable when Take has something to return.
func (s *Subscription) Wake() <-chan struct{} { return s.wake }

// Take returns the events since the last call, without waiting.
func (s *Subscription) Take() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.order
	s.order = nil
	clear(s.pending)
	return out
}

// Next waits for events and returns them; ctx's error if it ends first.
func (s *Subscription) Next(ctx context.Context) ([]Event, error) {
	for {
		if events := s.Take(); len(events) > 0 {
			return events, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.wake:
		}
	}
}

func (s *Subscription) add(events []Event) {
	wanted := false
	s.mu.Lock()
	for _, e := range events {
		if len(s.kinds) > 0 && !slices.Contains(s.kinds, e.Kind) {
			continue
		}
		wanted = true
		if _, ok := s.pending[e]; !ok {
			s.pending[e] = struct{}{}
			s.order = append(s.order, e)
		}
	}
	s.mu.Unlock()
	if !wanted {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
