// Package digest works out what matters of each step that failed: the line of
// its log that says why, with the few around it, and what changed since the last
// build that passed.
//
// Nothing calls it. It hears from the store that something changed and looks for
// failed steps that have no digest, so what ended while nobody ran it, or before
// it was built, is done at the next start. A digest is worked out once, and what
// it needs is there by then: a step's log is closed before the step has ended.
//
// Logs are masked before they are written, and no digest has words of a step
// from elsewhere: what is masked is in none, nor in a status made of one.
//
// What errors look like is known to the package rules.
package digest
