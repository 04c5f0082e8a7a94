package store

// Status is the state of a build, a job or a step; doc.go has the diagram.
type Status string

const (
	Blocked  Status = "blocked"
	Pending  Status = "pending"
	Running  Status = "running"
	Success  Status = "success"
	Failure  Status = "failure"
	Error    Status = "error"
	Canceled Status = "canceled"
	Skipped  Status = "skipped"
)

// Final reports whether nothing follows this state.
func (s Status) Final() bool {
	switch s {
	case Success, Failure, Error, Canceled, Skipped:
		return true
	}
	return false
}

// rank orders the final states for a build's verdict: the worst wins.
func (s Status) rank() int {
	switch s {
	case Error:
		return 4
	case Canceled:
		return 3
	case Failure:
		return 2
	case Success:
		return 1
	}
	return 0
}

// Worse returns the one of two final states that decides a verdict.
func (s Status) Worse(o Status) Status {
	if o.rank() > s.rank() {
		return o
	}
	return s
}
