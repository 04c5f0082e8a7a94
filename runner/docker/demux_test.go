package docker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/docker/docker/pkg/stdcopy"
)

func frame(stream byte, payload string) string {
	header := [frameHeader]byte{0: stream}
	binary.BigEndian.PutUint32(header[4:], uint32(len(payload)))
	return string(header[:]) + payload
}

func TestDemux(t *testing.T) {
	big := strings.Repeat("0123456789", 3*demuxBuffer/10)
	tests := map[string]struct {
		in, stdout, stderr string
		err                error
	}{
		"empty":       {},
		"both":        {in: frame(1, "a") + frame(2, "b") + frame(1, "c"), stdout: "ac", stderr: "b"},
		"stdin":       {in: frame(0, "typed"), stdout: "typed"},
		"no payload":  {in: frame(1, "") + frame(2, "b"), stderr: "b"},
		"large":       {in: frame(1, big) + frame(2, big) + frame(1, "end"), stdout: big + "end", stderr: big},
		"many":        {in: strings.Repeat(frame(1, "line\n"), 20_000), stdout: strings.Repeat("line\n", 20_000)},
		"torn header": {in: frame(1, "a") + "\x01\x00", stdout: "a", err: io.ErrUnexpectedEOF},
		"torn frame":  {in: frame(1, "a") + frame(1, "bcd")[:10], stdout: "abc", err: io.ErrUnexpectedEOF},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"whole":   strings.NewReader(test.in),
				"dataerr": iotest.DataErrReader(strings.NewReader(test.in)),
				"half":    iotest.HalfReader(strings.NewReader(test.in)),
			} {
				var stdout, stderr bytes.Buffer
				if err := demux(r, &stdout, &stderr); !errors.Is(err, test.err) {
					t.Errorf("%s: error %v, want %v", how, err, test.err)
				}
				if stdout.String() != test.stdout || stderr.String() != test.stderr {
					t.Errorf("%s: %d and %d bytes, want %d and %d", how, stdout.Len(), stderr.Len(), len(test.stdout), len(test.stderr))
				}
			}
		})
	}
}

func TestDemuxTellsEngineWords(t *testing.T) {
	var stdout bytes.Buffer
	err := demux(strings.NewReader(frame(1, "a")+frame(3, "log driver gone")+frame(1, "b")), &stdout, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "log driver gone") {
		t.Errorf("error %v, want the engine's words", err)
	}
	if stdout.String() != "a" {
		t.Errorf("stdout %q, want what came before", stdout.String())
	}
}

func TestDemuxRefusesNoise(t *testing.T) {
	if err := demux(strings.NewReader("HTTP/1.1 500 oops\n"), io.Discard, io.Discard); err == nil {
		t.Error("what is not framed was taken")
	}
}

func TestDemuxTellsWriterErrors(t *testing.T) {
	full := errors.New("disk full")
	err := demux(strings.NewReader(frame(1, "a")), failing{full}, io.Discard)
	if !errors.Is(err, full) || !errors.As(err, new(writeError)) {
		t.Errorf("error %v, want the writer's", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// FuzzDemux compares with Docker's own reader of frames, with reads cut at
// random.
func FuzzDemux(f *testing.F) {
	f.Add([]byte(frame(1, "a")+frame(2, "b")+frame(1, strings.Repeat("x", 300))), uint8(3))
	f.Add([]byte(frame(0, "")+frame(2, "err")+"\x01"), uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		if refused(in) {
			return // the two differ in what they make of noise
		}
		var stdout, stderr, wantOut, wantErr bytes.Buffer
		err := demux(&slowReader{in, int(step) + 1}, &stdout, &stderr)
		stdcopy.StdCopy(&wantOut, &wantErr, bytes.NewReader(in))
		whole := err == nil
		if whole && (!bytes.Equal(stdout.Bytes(), wantOut.Bytes()) || !bytes.Equal(stderr.Bytes(), wantErr.Bytes())) {
			t.Errorf("got %q and %q, want %q and %q", &stdout, &stderr, &wantOut, &wantErr)
		}
		// Of a stream that is cut off, Docker's reader drops the last frame.
		if !bytes.HasPrefix(stdout.Bytes(), wantOut.Bytes()) || !bytes.HasPrefix(stderr.Bytes(), wantErr.Bytes()) {
			t.Errorf("got %q and %q, less than %q and %q", &stdout, &stderr, &wantOut, &wantErr)
		}
	})
}

// refused reports whether in has a header that is none, or an error frame.
func refused(in []byte) bool {
	for len(in) >= frameHeader {
		if in[0] >= frameError || in[1]|in[2]|in[3] != 0 {
			return true
		}
		n := uint64(binary.BigEndian.Uint32(in[4:])) + frameHeader
		if n > uint64(len(in)) {
			return n > 1<<20 // the other would allocate it
		}
		in = in[n:]
	}
	return false
}

// slowReader returns at most step bytes a read.
type slowReader struct {
	rest []byte
	step int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.step)], r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func BenchmarkDemux(b *testing.B) {
	for name, in := range map[string]string{
		"lines": strings.Repeat(frame(1, "ok  	github.com/example/pkg	0.012s\n"), 100_000),
		"large": strings.Repeat(frame(1, strings.Repeat("x", 16<<10)), 200),
	} {
		b.Run(name+"/ours", func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				demux(strings.NewReader(in), &sink{}, &sink{})
			}
		})
		b.Run(name+"/stdcopy", func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				stdcopy.StdCopy(&sink{}, &sink{}, strings.NewReader(in))
			}
		})
	}
}

// sink counts and forgets.
type sink struct{ n int }

func (s *sink) Write(p []byte) (int, error) { s.n += len(p); return len(p), nil }
