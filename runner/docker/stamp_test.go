package docker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
)

// timed writes down what it is given, and when that was written.
type timed struct {
	bytes.Buffer
	at    time.Time
	times []string // of each Write, with its length
}

func (w *timed) At(t time.Time) { w.at = t }

func (w *timed) Write(p []byte) (int, error) {
	w.times = append(w.times, fmt.Sprintf("%s %d", w.at.UTC().Format("05.000"), len(p)))
	return w.Buffer.Write(p)
}

var _ runner.Timed = (*timed)(nil)

// stamp is a time as the engine writes it.
func stamp(ms int) string {
	return time.Date(2026, 1, 2, 3, 4, 0, ms*1e6+123, time.UTC).Format("2006-01-02T15:04:05.000000000Z07:00") + " "
}

func TestDemuxStamped(t *testing.T) {
	piece := strings.Repeat("x", recordPiece)
	in := frame(1, stamp(1)+"a\n") + frame(1, stamp(1)+"b\n") + // one write
		frame(1, stamp(2)+piece) + frame(1, stamp(3)+piece) + frame(1, stamp(4)+"end\n") + // a long line
		frame(2, stamp(5)+stamp(6)+"as if\n") + // what a program wrote itself stays
		frame(1, "2026-01-02T03:04:05Z \n") + frame(1, "2026-01-02T05:04:05.5+02:00 last") // others trim zeros, and have zones
	for how, r := range map[string]io.Reader{
		"whole":   strings.NewReader(in),
		"dataerr": iotest.DataErrReader(strings.NewReader(in)),
		"half":    iotest.HalfReader(strings.NewReader(in)),
		"bytes":   iotest.OneByteReader(strings.NewReader(in)),
	} {
		var stdout, stderr timed
		if err := demuxStamped(r, &stdout, &stderr); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		if want := "a\nb\n" + piece + piece + "end\n\nlast"; stdout.String() != want || stderr.String() != stamp(6)+"as if\n" {
			t.Errorf("%s: %d bytes and %q, want %d", how, stdout.Len(), stderr.String(), len(want))
		}
		want := []string{"00.001 4", "00.002 16384", "00.003 16384", "00.004 4", "05.000 1", "05.500 4"}
		if how == "whole" && !slices.Equal(stdout.times, want) {
			t.Errorf("%s: written at %q, want %q", how, stdout.times, want)
		}
		if last := stdout.times[len(stdout.times)-1]; !strings.HasPrefix(last, "05.500") {
			t.Errorf("%s: the last write is of %s", how, last)
		}
	}
}

// TestFrameWithoutStamp: rather than take a program's words for a time, or a time
// for its words, the reading fails.
func TestFrameWithoutStamp(t *testing.T) {
	for _, payload := range []string{"", "\n", "word and more\n", strings.Repeat("x", 100), "2026-01-02T03:04:05Z\n", "2026-01-02 03:04:05 x\n"} {
		var stdout bytes.Buffer
		err := demuxStamped(strings.NewReader(frame(1, stamp(1)+"a\n")+frame(1, payload)), &stdout, io.Discard)
		if !errors.Is(err, errNoStamp) || stdout.String() != "a\n" {
			t.Errorf("%q: %v, after %q", payload, err, stdout.String())
		}
	}
	err := demuxStamped(strings.NewReader(frame(1, stamp(1)+"a")+frame(3, "log driver gone")), io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "log driver gone") {
		t.Errorf("error %v, want the engine's words", err)
	}
	if err := demuxStamped(strings.NewReader(frame(1, stamp(1)+"a")[:20]), io.Discard, io.Discard); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v of a torn stamp", err)
	}
}

// TestEngineThatTellsNoTimes: it is found out once, and the output read all the
// same.
func TestEngineThatTellsNoTimes(t *testing.T) {
	asked := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("timestamps")
		_, _ = io.WriteString(w, frame(1, "a line\n"))
	}))
	t.Cleanup(s.Close)
	cli, err := client.NewClientWithOpts(client.WithHost("tcp://"+s.Listener.Addr().String()), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cli.Close() })
	e := New(cli, Options{})
	for i, want := range []error{errNoStamp, nil, nil} {
		out, err := e.Logs(t.Context(), "id", false)
		if err != nil {
			t.Fatal(err)
		}
		var stdout timed
		if err := out.Copy(&stdout, io.Discard); !errors.Is(err, want) {
			t.Errorf("reading %d: %v, want %v", i+1, err, want)
		}
		if got := stdout.String(); want == nil && got != "a line\n" || !stdout.at.IsZero() {
			t.Errorf("reading %d: %q at %v", i+1, got, stdout.at)
		}
		out.Close()
		if got := <-asked; (got == "1") != (i == 0) {
			t.Errorf("reading %d: asked for times: %q", i+1, got)
		}
	}
}
