// Package pipeline is slipway's pipeline language: it finds the files in a
// tree, parses and validates them, and plans what an event makes of them.
//
// It is pure. It does no I/O of its own (Find reads the fs.FS it is given), has
// no clock and no globals, and the same bytes and the same Facts give the same
// Plan. Every problem a person can mend is a Problem with file, line and column.
package pipeline
