// Package status tells GitHub what became of a commit: the outbox.
//
// Nothing calls it. It hears from the store that builds changed, works out from
// the stored builds what each of their commits' statuses should say (verdict.go)
// and stores that; what GitHub does not have yet is sent until it has it
// (send.go). Both halves start from rows, so a restart, an outage or a lost
// wake-up delays a status and never loses it. There is one row for each commit
// and context, and at most one request for it at a time: GitHub hears of states
// in order, and of those that were overtaken not at all.
//
// A verdict says what failed where a digest knows it. It waits for the digest of
// the step that decided, but not for long, and is sent again if that comes later.
package status
