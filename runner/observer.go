package runner

import (
	"context"
	"fmt"
	"time"
)

// An Observer hears what Run does and makes it durable. Methods may be called
// concurrently for different steps. An error of any method ends the job as an
// infrastructure error; Run never goes on as if something had been recorded.
type Observer interface {
	// Intend returns once it is durable that op is about to be done.
	Intend(ctx context.Context, op Op) error
	// Done records that op was done; id is what a create op made, or something
	// else for a later Run to read, or "".
	Done(ctx context.Context, op Op, id string) error

	// StepStarted: the step's turn has come. Its log may be opened before. It may be
	// called while Intend is for the same step; no command begins before it returned.
	StepStarted(ctx context.Context, step int, at time.Time) error
	// StepFinished: the step has ended and its log is closed. It is called once
	// for each step that has no recorded end, skipped ones included.
	StepFinished(ctx context.Context, step int, r StepResult) error

	// Log opens the log of a step. Run closes it.
	Log(ctx context.Context, step int) (Log, error)
}

// An Ender is an Observer that wants a job's verdict as soon as it stands.
// JobEnded is called once, when all steps have ended and before what the job had
// is removed, with what Run will return. What is left of a job that has ended is
// found by its labels, so its removal needs no record: Intend and Done for it
// may do nothing.
type Ender interface {
	JobEnded(ctx context.Context, r JobResult) error
}

// A Log takes the masked output of one step. It has one writer.
type Log interface {
	// Append stores lines, in order. They are readable when it returns, and
	// survive the death of the process, save those with Open set, which replace
	// the stream's open line before them and are never durable. Append keeps
	// neither lines nor their Text, which are used again.
	Append(lines ...Line) error
	// SourceLines is the number of lines of a stream's source that are stored:
	// those with that stream and End set. After a restart the source is read
	// again from its beginning, and that many lines of it are skipped. Rows of
	// the line after these that a reopened Log has already are appended again,
	// cut alike, and the Log drops them.
	SourceLines(s Stream) int64
	// Notices returns the texts of the LineNotice rows that are stored, save those
	// among the first lines of StreamSlipway: what slipway said before a restart,
	// and need not say again.
	Notices(first int64) ([]string, error)
	// Close makes everything durable (fsync).
	Close() error
}

// A Releaser is a Log that tells its end from a pause. Run calls Release in
// place of Close when it ends before the step does: the Log is made durable and
// will be opened again.
type Releaser interface {
	Release() error
}

// Stream is where a line comes from.
type Stream uint8

const (
	StreamSlipway Stream = iota // slipway's own words: pulls, reasons
	StreamStdout
	StreamStderr
)

// LineKind tells output from what frames it.
type LineKind uint8

const (
	LineOutput  LineKind = iota
	LineCommand          // Text is a command that begins here (its first line)
	LineMore             // a further line of the command before it
	LineNotice           // slipway's words to the reader
)

// MaxLine is the most bytes of text in one Line. A longer line is cut into
// several, all but the last without End.
const MaxLine = 256 << 10

// A Line is one row of a log, without its newline. Text is valid UTF-8.
type Line struct {
	Stream Stream
	Kind   LineKind
	// Time is when its output came; of what nobody read then, when the engine had
	// it.
	Time time.Time
	Text []byte
	// End: the source's newline (or its end) followed. Without it the row is
	// continued by the next one of its stream.
	End bool
	// Open: the newline is still to come; the row is replaced when it does.
	Open bool
	// Exit, on a LineCommand, is the exit status of the command before it in
	// the same step; -1 for the first.
	Exit int
}

// OpKind is a kind of mutation.
type OpKind string

const (
	OpCreateNetwork   OpKind = "create-network"
	OpCreateSandbox   OpKind = "create-sandbox" // Attempt is its number, see SandboxName
	OpCreateVolume    OpKind = "create-volume"
	OpCreateContainer OpKind = "create-container"
	OpCopySource      OpKind = "copy-source"
	// OpWarm starts a container whose script waits at its gate.
	OpWarm OpKind = "warm"
	// OpStart starts a container, or opens its gate: from its Intend on the
	// step's commands may have begun.
	OpStart     OpKind = "start"
	OpStop      OpKind = "stop"
	OpRemove    OpKind = "remove"     // a step's container
	OpRemoveJob OpKind = "remove-job" // network and volume
	// OpAttempt changes nothing in the engine: it records that the attempt before
	// this one has ended and its output is stored. Its ID is for Run to read.
	OpAttempt OpKind = "attempt"
	// OpEnd changes nothing either: it records how the step ended, before its log
	// tells why.
	OpEnd OpKind = "end"
	// OpTakeSandbox changes nothing in the engine either: its ID is the number of
	// the job's sandbox that an attempt runs in.
	OpTakeSandbox OpKind = "take-sandbox"
)

// An Op is one mutation of the Engine. Step is 0 for what belongs to the job.
type Op struct {
	Kind    OpKind
	Step    int // number of the step, from 1
	Attempt int // from 1; 0 for what belongs to the job
}

// Key names the op within its job: "start/3/1".
func (o Op) Key() string { return fmt.Sprintf("%s/%d/%d", o.Kind, o.Step, o.Attempt) }

// OpRecord is what was recorded of an Op.
type OpRecord struct {
	Done bool   // false: intended only; it may or may not have happened
	ID   string // of what was made
}

// State is what an Observer recorded of an earlier, cut off Run of the same
// job. The zero State starts afresh.
type State struct {
	Ops     map[string]OpRecord // by Op.Key
	Started map[int]time.Time   // steps whose turn had come, by number
	Results map[int]StepResult  // steps that ended, by number
	Used    map[int]Usage       // by steps that have not ended, by number
}
