// Package store keeps what happened, durably, in one SQLite file, and tells who
// listens that something changed.
//
// # States
//
// A build, a job and a step each move along one line, and only forwards:
//
//	blocked ──▶ pending ──▶ running ──▶ success | failure | error | canceled | skipped
//	   └────────────┴───────────────────▶ error | canceled | skipped
//
// blocked waits for something outside the queue (a build for approval, a job for
// other jobs, a step for its turn), pending waits for capacity. Every transition
// is an UPDATE … WHERE status = ?, so that of two that race one does nothing.
//
// # Writing
//
// All writes go through one connection, and those that arrive while a commit is
// under way share the next one (see tx.go): a commit costs one fsync however
// many callers wait for it. synchronous=FULL, so what a method has returned from
// is on the disk.
//
// # Hearing
//
// After a commit its Events go to every Subscription. They carry IDs only;
// whoever hears one reads the store again. Events are merged while nobody reads
// them, so a slow reader costs nothing and loses nothing.
//
// What a person asks for is a row as well (RequestCancel, Restart, Approve):
// the queue and the trigger hear of it like everybody else.
package store
