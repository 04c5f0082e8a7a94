package runner

import "sync"

// turn is the recording of a step's turn, which goes on beside what comes before
// its commands: the last of that is to record that they are about to begin, which
// is durable in the same moment then.
type turn struct {
	writing sync.WaitGroup
	err     error // set when writing is over
}

func (t *turn) record(write func() error) { t.writing.Go(func() { t.err = write() }) }

// wait returns when the turn is recorded. An error has ended the run.
func (t *turn) wait() error {
	t.writing.Wait()
	return t.err
}
