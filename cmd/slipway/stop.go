package main

import (
	"context"
	"sync"
	"time"
)

const (
	// secondSignal is how long after the first signal a second may come that makes
	// the server wait for its jobs.
	secondSignal = time.Second
	// verdictTimeout is for GitHub to take the verdicts of jobs that were waited for.
	verdictTimeout = 30 * time.Second
	// requestTimeout is for requests under way, and stopTimeout for all that is.
	requestTimeout = 10 * time.Second
	stopTimeout    = 15 * time.Second
)

// awaitJobs waits for the jobs that run and for GitHub to know of their ends, if
// the operator wants that, and leaves in queueEnded what it found there.
func (a *app) awaitJobs(queueEnded chan error) {
	drain := a.drain
	if a.signals != nil {
		<-a.signals // the first
	}
	for {
		limit := time.After(secondSignal)
		if drain {
			limit = nil
			a.log.Info("stopping when the jobs that run have ended; another signal leaves them to the next start")
		} else {
			a.log.Info("stopping; containers that run go on and are taken up by the next start; another signal now waits for them")
		}
		if a.signals == nil {
			return
		}
		select {
		case err := <-queueEnded:
			queueEnded <- err
			if drain {
				a.awaitVerdicts()
			}
			return
		case <-limit:
			return
		case <-a.signals:
			if drain {
				return
			}
			drain = true
		}
	}
}

// awaitVerdicts waits for GitHub to have all statuses, for some time or until
// another signal.
func (a *app) awaitVerdicts() {
	ctx, cancel := context.WithTimeout(context.Background(), verdictTimeout) // what it belongs to has ended
	defer cancel()
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-a.signals:
			cancel()
		case <-ctx.Done():
		}
	})
	lacking, err := a.outbox.Await(ctx)
	cancel()
	waiting.Wait()
	if lacking > 0 {
		a.log.Warn("stopping before GitHub has all statuses; the next start sends them", "lacking", lacking, "error", err)
	}
}

// awaitRest waits for requests and all else that is under way, and reports
// whether it has ended. What has not by then waits for a Docker engine that does
// not answer: it is left as a crash would leave it, which the next start takes
// up. What it uses stays open, since it ends with the process.
func (a *app) awaitRest(ctx context.Context, running *sync.WaitGroup) bool {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	requests, cut := context.WithTimeout(ctx, requestTimeout)
	defer cut()
	if a.http.Shutdown(requests) != nil {
		_ = a.http.Close() // whoever still reads is cut off
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		running.Wait()
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		a.log.Warn("stopping although the Docker engine has not answered; the next start sees to what it was asked")
		a.closers = nil
		return false
	}
}
