package queue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/slipway-ci/slipway/runner"
)

// Disk is the space that builds share with the database. Below its floor no job
// is claimed; when steps have less than half of it the job that takes most is
// stopped, so that what fails is the build that fills the disk.
type Disk struct {
	// Floor is in bytes; 0 means that nobody watches.
	Floor int64
	// Free returns the bytes that are free where they are fewest.
	Free func() (int64, error)
	// StepsFree returns the bytes that are free where steps write; nil means that
	// this is as Free. Stopping a job makes room nowhere else.
	StepsFree func() (int64, error)
	// Reclaim removes the oldest of what can be had again, and reports whether
	// there was something.
	Reclaim func(ctx context.Context) (bool, error)
	// Every is how often it is looked at; 0 means 2 s.
	Every time.Duration
}

// diskWatch is the state of the watch. It belongs to its goroutine, save for the
// channels, which lead to Run.
type diskWatch struct {
	low    chan bool     // whether there is too little room to claim
	stop   chan diskStop // a job to be stopped
	isLow  bool
	told   bool // Run knows
	marked bool // pending jobs may carry the reason why they wait
}

// diskStop asks Run to stop a job.
type diskStop struct {
	jobID int64
	cause error
}

// watchDisk looks at the disk until ctx ends.
func (q *Queue) watchDisk(ctx context.Context) {
	every := time.NewTicker(q.Disk.Every)
	defer every.Stop()
	q.disk.marked = true // by a process before this one
	for {
		if err := q.checkDisk(ctx); err != nil && ctx.Err() == nil {
			q.Logger.Error("cannot look after the disk, trying again", "error", err)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

func (q *Queue) checkDisk(ctx context.Context) error {
	free, err := q.reclaim(ctx)
	if err != nil {
		return err
	}
	// More than the floor is needed to go on, so that it does not come and go.
	low := free < q.Disk.Floor || q.disk.isLow && free < q.Disk.Floor+q.Disk.Floor/10
	if low || q.disk.marked {
		if err := q.Store.ExplainWait(ctx, q.waitReason(low)); err != nil {
			return err
		}
		q.disk.marked = low
	}
	q.tellLow(ctx, low, free)
	return q.stopBiggest(ctx)
}

// stepsNeed returns what is free where steps write, and whether that is so little
// that one of them has to end.
func (q *Queue) stepsNeed() (free int64, little bool, err error) {
	look := q.Disk.StepsFree
	if look == nil {
		look = q.Disk.Free
	}
	free, err = look()
	return free, err == nil && free < q.Disk.Floor/2, err
}

func (q *Queue) waitReason(low bool) string {
	if !low {
		return ""
	}
	return fmt.Sprintf("waiting for disk space: less than %s is free on the server", size(q.Disk.Floor))
}

// reclaim returns what is free, after as much was removed as is needed and can be
// had again.
func (q *Queue) reclaim(ctx context.Context) (free int64, err error) {
	for ctx.Err() == nil {
		if free, err = q.Disk.Free(); err != nil || free >= q.Disk.Floor {
			return free, err
		}
		if more, err := q.Disk.Reclaim(ctx); err != nil || !more {
			return free, err
		}
	}
	return free, context.Cause(ctx)
}

// tellLow tells Run and the operator when it changes whether there is room.
func (q *Queue) tellLow(ctx context.Context, low bool, free int64) {
	if q.disk.told && low == q.disk.isLow {
		return
	}
	was := q.disk.isLow
	q.disk.told, q.disk.isLow = true, low
	switch {
	case low:
		q.Logger.Warn("the disk is nearly full: no job is claimed until there is room; free some, or lower SLIPWAY_DISK_FLOOR",
			"free", size(free), "floor", size(q.Disk.Floor))
	case was:
		q.Logger.Info("there is room on the disk again", "free", size(free))
	}
	select {
	case q.disk.low <- low:
	case <-ctx.Done():
	}
}

// stopBiggest has the running job stopped that takes most of the disk, if there is
// no room for steps. It is asked again while there is none; a job that is being
// stopped is killed then.
func (q *Queue) stopBiggest(ctx context.Context) error {
	if _, little, err := q.stepsNeed(); !little {
		return err
	}
	found, err := q.Engine.DiskUsage(ctx, map[string]string{runner.LabelServer: q.ServerID})
	if err != nil {
		return err
	}
	// What filled the disk may have ended while that was counted, which takes a
	// while: the biggest of the rest is not to blame then.
	free, little, err := q.stepsNeed()
	if !little {
		return err
	}
	sizes := map[int64]int64{}
	biggest := int64(0)
	for _, r := range found {
		id, err := strconv.ParseInt(r.Labels[runner.LabelJob], 10, 64)
		if err != nil {
			continue // of no job
		}
		sizes[id] += r.Bytes
		if biggest == 0 || sizes[id] > sizes[biggest] {
			biggest = id
		}
	}
	if biggest == 0 {
		return nil
	}
	q.Logger.Warn("stopping the job that takes most of the full disk", "job", biggest, "takes", size(sizes[biggest]), "free", size(free))
	cause := runner.StopError{Reason: fmt.Sprintf("the disk is nearly full, and this job takes the most of it: %s", size(sizes[biggest]))}
	select {
	case q.disk.stop <- diskStop{biggest, cause}:
	case <-ctx.Done():
	}
	return nil
}

// stopForDisk stops a job at once: with a grace period it would write on.
func (q *Queue) stopForDisk(running map[int64]*active, s diskStop) {
	a := running[s.jobID]
	if a == nil || a.cancels >= 2 {
		return
	}
	a.cancels = 2
	a.cancel(s.cause)
	close(a.kill)
}

// size writes a number of bytes for people.
func size(n int64) string { return humanize.IBytes(uint64(n)) }
