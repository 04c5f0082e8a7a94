package docker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// The engine sends both streams of a container in frames: a byte that names the
// stream, three zeros, the length in four bytes, and so many bytes of output.
const frameHeader = 8

const (
	frameStdin  = 0 // what was typed, echoed; counts as stdout
	frameStdout = 1
	frameStderr = 2
	frameError  = 3 // the engine's own words: it could not go on
)

const (
	demuxBuffer    = 64 << 10
	maxEngineWords = 4 << 10
)

// Where the engine was asked for times, what is in a frame is one entry of its
// record, or of a line's 16 KiB one, and begins with the entry's time and a space.
// So the times are looked for where frames begin, never in the output.

// maxStamp is more than a time and the space after it take: RFC 3339 with
// nanoseconds and the zone.
const maxStamp = 40

// errNoStamp: a frame that should begin with a time does not. The engine cannot
// be asked for them then.
var errNoStamp = errors.New("a frame of output without its time")

// A writeError is a failure of who takes the output, not of the engine.
type writeError struct{ err error }

func (e writeError) Error() string { return "write output: " + e.err.Error() }
func (e writeError) Unwrap() error { return e.err }

// demux copies the framed streams in r to their writers until r ends. What
// stands in consecutive frames of a stream is joined into few writes: a program
// that writes a line at a time would otherwise cost a call for each.
func demux(r io.Reader, stdout, stderr io.Writer) error {
	d := demuxer{writers: [...]io.Writer{stdout, stdout, stderr}}
	return d.copy(r)
}

// demuxStamped is demux for frames that begin with times, of which it tells
// writers that are runner.Timed.
func demuxStamped(r io.Reader, stdout, stderr io.Writer) error {
	d := demuxer{writers: [...]io.Writer{stdout, stdout, stderr}, stamped: true}
	return d.copy(r)
}

func (d *demuxer) copy(r io.Reader) error {
	buf := make([]byte, demuxBuffer)
	for held := 0; ; {
		n, err := r.Read(buf[held:])
		rest, ferr := d.feed(buf[:held+n])
		if ferr != nil {
			return ferr
		}
		held = copy(buf, rest)
		if err != nil {
			return d.end(err, held)
		}
	}
}

// demuxer is where a stream of frames stands.
type demuxer struct {
	writers [3]io.Writer
	stamped bool
	stream  byte   // of the current frame
	left    uint32 // bytes of it that are still to come
	at      int64  // its time, in milliseconds
	words   []byte // of an error frame
}

// run is output of one stream and time that is not yet written.
type run struct {
	bytes  []byte // they lie in what is fed, before what is looked at
	stream byte
	at     int64
}

// feed takes as much of p as it can and returns the rest, less than the head of a
// frame. It moves output towards the start of p to join it.
func (d *demuxer) feed(p []byte) (rest []byte, err error) {
	var joined run
	pos := 0
	for {
		if d.left == 0 {
			if d.stream == frameError {
				return nil, errors.Join(d.flush(&joined), fmt.Errorf("engine: %s", d.words))
			}
			if len(p)-pos < d.headLength(p[pos:]) {
				return p[pos:], d.flush(&joined)
			}
			n, err := d.begin(p[pos:])
			if err != nil {
				return nil, errors.Join(d.flush(&joined), err)
			}
			pos += n
			continue
		}
		take := min(int(d.left), len(p)-pos)
		if take == 0 {
			return nil, d.flush(&joined)
		}
		payload := p[pos : pos+take]
		pos += take
		d.left -= uint32(take)
		switch {
		case d.stream == frameError:
			d.words = append(d.words, payload[:min(take, maxEngineWords-len(d.words))]...)
		case len(joined.bytes) > 0 && joined.stream == d.stream && joined.at == d.at:
			joined.bytes = append(joined.bytes, payload...)
		default:
			if err := d.flush(&joined); err != nil {
				return nil, err
			}
			joined = run{payload, d.stream, d.at}
		}
	}
}

// flush writes what is joined.
func (d *demuxer) flush(joined *run) error {
	if len(joined.bytes) == 0 {
		return nil
	}
	w := d.writers[joined.stream]
	if t, ok := w.(runner.Timed); ok && d.stamped {
		t.At(time.UnixMilli(joined.at))
	}
	_, err := w.Write(joined.bytes)
	joined.bytes = nil
	if err != nil {
		return writeError{err}
	}
	return nil
}

// headLength returns how many bytes are needed to begin the frame of which p is
// the beginning.
func (d *demuxer) headLength(p []byte) int {
	if !d.stamped || len(p) < frameHeader || p[0] == frameError {
		return frameHeader
	}
	return frameHeader + int(min(binary.BigEndian.Uint32(p[4:]), maxStamp))
}

// begin reads the head of the next frame, which p has, and returns its length.
func (d *demuxer) begin(p []byte) (int, error) {
	if p[0] > frameError || p[1] != 0 || p[2] != 0 || p[3] != 0 {
		return 0, fmt.Errorf("no frame of output: % x", p[:frameHeader])
	}
	d.stream, d.left = p[0], binary.BigEndian.Uint32(p[4:])
	if !d.stamped || d.stream == frameError {
		return frameHeader, nil
	}
	stamp := p[frameHeader:d.headLength(p)]
	space := bytes.IndexByte(stamp, ' ')
	var at time.Time
	if at.UnmarshalText(stamp[:max(space, 0)]) != nil {
		return 0, errNoStamp
	}
	d.at = at.UnixMilli()
	d.left -= uint32(space + 1)
	return frameHeader + space + 1, nil
}

// end judges the end of the frames, with held bytes of a header left.
func (d *demuxer) end(err error, held int) error {
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("read output: %w", err)
	}
	if held > 0 || d.left > 0 {
		return fmt.Errorf("read output: %w", io.ErrUnexpectedEOF)
	}
	return nil
}
