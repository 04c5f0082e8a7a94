package docker

import "slices"

const (
	// remembered is of how many jobs a pool knows how many sandboxes they wanted.
	remembered = 8
	// maxWidth bounds the sandboxes of a set: each is a process, if a small one.
	maxWidth = 8
)

// recentWidth is how many sandboxes each of the last jobs wanted at once.
type recentWidth struct {
	last [remembered]int
	next int
}

func (w *recentWidth) add(sandboxes int) {
	w.last[w.next] = sandboxes
	w.next = (w.next + 1) % remembered
}

// most is what the next job may want: the most that one of the last did.
func (w *recentWidth) most() int { return min(max(1, slices.Max(w.last[:])), maxWidth) }
