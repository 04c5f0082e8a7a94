package logs

import (
	"fmt"
	"time"
)

// Stream is where a line comes from.
type Stream uint8

const (
	Slipway Stream = iota // slipway's own words
	Stdout
	Stderr

	streams = 3
)

// Kind tells output from what frames it.
type Kind uint8

const (
	Output  Kind = iota
	Command      // Text is the first line of a command that begins here
	More         // a further line of the command before it
	Notice       // slipway's words to the reader

	kinds = 4
)

// MaxText is the most bytes of text in one Line.
const MaxText = 1 << 20

// A Line is one row of a log, without its newline.
type Line struct {
	// N is the row's number in its log, from 1. Readers set it, Append ignores
	// it. It is 0 if Open is set: the row has no place yet.
	N      int64
	Stream Stream
	Kind   Kind
	// Time is kept in milliseconds; a time before 1970 is kept as zero.
	Time time.Time
	// Text that a reader is given must not be changed; keeping it keeps the
	// chunk around it in memory.
	Text []byte
	// End: the source's newline (or its end) followed. Without it the row is
	// continued by the next one of its stream.
	End bool
	// Open: the newline is still to come. The line is replaced by the next one
	// of its stream and never stored; empty Text shows that there is none.
	Open bool
	// Exit, on a Command, is the exit status of the command before it.
	Exit int
}

// check returns an error if l cannot be stored.
func (l *Line) check() error {
	switch {
	case l.Stream >= streams:
		return fmt.Errorf("line of unknown stream %d", l.Stream)
	case l.Kind >= kinds:
		return fmt.Errorf("line of unknown kind %d", l.Kind)
	case len(l.Text) > MaxText:
		return fmt.Errorf("line of %d bytes, at most %d", len(l.Text), MaxText)
	case l.Open && l.End:
		return fmt.Errorf("line both open and ended")
	}
	return nil
}

// prefix is what stands before the text of a row in the log as plain text: what
// a shell's trace and its continuation prompt put there.
func (k Kind) prefix() string {
	switch k {
	case Command:
		return "+ "
	case More:
		return "> "
	default:
		return ""
	}
}
