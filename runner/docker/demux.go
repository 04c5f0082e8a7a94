package docker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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

// A writeError is a failure of who takes the output, not of the engine.
type writeError struct{ err error }

func (e writeError) Error() string { return "write output: " + e.err.Error() }
func (e writeError) Unwrap() error { return e.err }

// demux copies the framed streams in r to their writers until r ends. What
// stands in consecutive frames of a stream is joined into few writes: a program
// that writes a line at a time would otherwise cost a call for each.
func demux(r io.Reader, stdout, stderr io.Writer) error {
	d := demuxer{writers: [...]io.Writer{stdout, stdout, stderr}}
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
	stream  byte   // of the current frame
	left    uint32 // bytes of it that are still to come
	words   []byte // of an error frame
}

// feed takes as much of p as it can and returns the rest, less than a header.
// It moves output towards the start of p to join it.
func (d *demuxer) feed(p []byte) (rest []byte, err error) {
	var run []byte // output of runStream, not yet written; lies in p before pos
	var runStream byte
	flush := func() error {
		if len(run) == 0 {
			return nil
		}
		_, err := d.writers[runStream].Write(run)
		run = run[len(run):]
		if err != nil {
			return writeError{err}
		}
		return nil
	}
	pos := 0
	for {
		if d.left == 0 {
			if d.stream == frameError {
				return nil, errors.Join(flush(), fmt.Errorf("engine: %s", d.words))
			}
			if len(p)-pos < frameHeader {
				return p[pos:], flush()
			}
			if err := d.begin(p[pos:]); err != nil {
				return nil, errors.Join(flush(), err)
			}
			pos += frameHeader
			continue
		}
		take := min(int(d.left), len(p)-pos)
		if take == 0 {
			return nil, flush()
		}
		payload := p[pos : pos+take]
		pos += take
		d.left -= uint32(take)
		switch {
		case d.stream == frameError:
			d.words = append(d.words, payload[:min(take, maxEngineWords-len(d.words))]...)
		case len(run) > 0 && runStream == d.stream:
			run = append(run, payload...)
		default:
			if err := flush(); err != nil {
				return nil, err
			}
			run, runStream = payload, d.stream
		}
	}
}

// begin reads the header of the next frame.
func (d *demuxer) begin(header []byte) error {
	if header[0] > frameError || header[1] != 0 || header[2] != 0 || header[3] != 0 {
		return fmt.Errorf("no frame of output: % x", header[:frameHeader])
	}
	d.stream, d.left = header[0], binary.BigEndian.Uint32(header[4:])
	return nil
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
