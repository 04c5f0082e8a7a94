// Package queue claims jobs, runs them through the runner, and writes down what
// happens.
//
// One goroutine owns the set of running jobs. It wakes when the store says that
// a build changed, claims while there is room, and passes on requests to cancel.
// Every job runs in a goroutine of its own that ends before Run returns.
//
// A job's end is recorded when its steps have ended, so that nobody waits for a
// verdict while networks are removed; the next job may begin then. What it had is
// removed beside that one, and Run waits until it is.
//
// After a restart the jobs that were running are run again with what was
// recorded of them, which means that their containers are adopted; then what
// carries this server's label and belongs to no running job is removed, and again
// when what the process before had asked of the engine has come about. A job that
// could not remove all that it had makes that happen once more.
package queue
