package runnertest

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

func outputOfBothStreams(r *rig) {
	got := r.run(r.spec(bothWords))
	if got.stdout != "out\n" || got.stderr != "err\n" || got.ExitCode != 3 {
		r.Errorf("stdout %q, stderr %q, exit code %d", got.stdout, got.stderr, got.ExitCode)
	}
}

func outputOfFastWriter(r *rig) {
	f := r.begin(r.spec(fastWriter))
	got := f.result()
	r.equal("attached stdout", got.stdout, countTo(manyLines))
	r.equal("attached stderr", got.stderr, countTo(manyLines))
	stdout, stderr := r.logs(f.id)
	r.equal("logged stdout", stdout, got.stdout)
	r.equal("logged stderr", stderr, got.stderr)
}

func outputOfLongLine(r *rig) {
	want := strings.Repeat("x", 300_000)
	f := r.begin(r.spec(longLine))
	r.equal("attached stdout", f.result().stdout, want)
	stdout, _ := r.logs(f.id)
	r.equal("logged stdout", stdout, want)
}

// equal compares long texts and tells only where they differ.
func (r *rig) equal(what, got, want string) {
	r.Helper()
	if got == want {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	r.Errorf("%s: %d bytes, want %d; they differ from byte %d on", what, len(got), len(want), i)
}

func outputEndsWithContext(r *rig) {
	id := r.create(r.spec(sleeper))
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	out, err := r.engine.Attach(ctx, id)
	r.ok("Attach", err)
	defer out.Close()
	r.start(id)
	stdout, copied := newFeed(), make(chan error, 1)
	go func() { copied <- out.Copy(stdout, io.Discard) }()
	r.ok("await", stdout.await(r.ctx, "ready"))
	cancel()
	r.is("Copy", <-copied, context.Canceled)
}

func outputEndsWithClose(r *rig) {
	f := r.begin(r.spec(sleeper))
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	r.ok("Close", f.out.Close())
	r.is("Copy", f.copyError(), net.ErrClosed)
}

var errWriter = errors.New("writer failed")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errWriter }

func outputEndsWithWriter(r *rig) {
	id := r.create(r.spec(sleeper))
	out, err := r.engine.Attach(r.ctx, id)
	r.ok("Attach", err)
	defer out.Close()
	r.start(id)
	r.is("Copy", out.Copy(failingWriter{}, io.Discard), errWriter)
}

func logsFollow(r *rig) {
	f := r.begin(r.spec(polite))
	r.ok("await", f.stdout.await(r.ctx, "ready"))
	wait := r.followUntil(f.id, "ready")
	r.ok("Stop", r.engine.Stop(r.ctx, f.id, patience))
	wait()
	f.result()
	if stdout, _ := r.logs(f.id); stdout != "ready\nbye\n" {
		r.Errorf("logged %q after the end", stdout)
	}
}

// followUntil follows a container's record until that has a text, and goes on with
// it until the container ends, for which wait waits.
func (r *rig) followUntil(id, text string) (wait func()) {
	out, err := r.engine.Logs(r.ctx, id, true)
	r.ok("Logs", err)
	followed, copied := newFeed(), make(chan error, 1)
	go func() { copied <- out.Copy(followed, io.Discard) }()
	r.ok("await", followed.await(r.ctx, text))
	return func() {
		r.ok("Copy", <-copied)
		r.ok("Close", out.Close())
	}
}

// hostileOutput writes to both streams: runes across every 16 KiB of a line of
// 100 KiB, bytes that are no text, and no final newline.
const hostileOutput = `
euros() { printf x; i=0; while [ $i -lt 35 ]; do printf '%1000s' '' | sed 's/ /€/g'; i=$((i+1)); done; echo; }
all() { echo begin; euros; head -c 16383 /dev/zero | tr '\\000' y; printf '\303\251\n\377\376\n\000<&>\342\200\250\r\n'; euros; printf 'torn \342\202'; }
all; all >&2`

// outputIsAsItsRecord: whoever replaces what is not UTF-8 reads the same from
// both.
func outputIsAsItsRecord(r *rig) {
	f := r.begin(r.spec(script{sh: hostileOutput}))
	got := f.result()
	stdout, stderr := r.logs(f.id)
	r.equal("stdout", strings.ToValidUTF8(got.stdout, "?"), strings.ToValidUTF8(got.stderr, "?"))
	r.equal("logged stdout", text(stdout), text(got.stdout))
	r.equal("logged stderr", text(stderr), text(got.stderr))
	if len(stdout) < 2*100<<10 || !strings.Contains(stdout, "\uFFFD") {
		r.Errorf("%d bytes of output, want hostile ones", len(stdout))
	}
}

// text is s with each byte that is not UTF-8 replaced.
func text(s string) string { return string([]rune(s)) }

// timedFeed notes when the lines of an output were written, as the engine says.
type timedFeed struct {
	strings.Builder
	now   time.Time
	lines map[string]time.Time
}

// At implements runner.Timed.
func (f *timedFeed) At(t time.Time) { f.now = t }

func (f *timedFeed) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		f.lines[line] = f.now
	}
	return f.Builder.Write(p)
}

// logsTellTimes: the record has when a line was written, not when it is read, and
// nothing of that is in the output.
func logsTellTimes(r *rig) {
	began := time.Now().Truncate(time.Millisecond)
	f := r.begin(r.spec(polite))
	wait := r.followUntil(f.id, "ready") // an attached stream may have it sooner
	ready := time.Now()
	r.ok("Stop", r.engine.Stop(r.ctx, f.id, patience))
	wait()
	f.result()
	out, err := r.engine.Logs(r.ctx, f.id, false)
	r.ok("Logs", err)
	defer out.Close()
	got := &timedFeed{lines: map[string]time.Time{}}
	r.ok("Copy", out.Copy(got, io.Discard))
	if got.String() != "ready\nbye\n" {
		r.Errorf("logged %q", got)
	}
	if at := got.lines["ready\n"]; at.Before(began) || at.After(ready) {
		r.Errorf("a line that was written from %v to %v has the time %v", began, ready, at)
	}
	if at := got.lines["bye\n"]; at.Before(ready.Truncate(time.Millisecond)) || at.After(time.Now()) {
		r.Errorf("a line that was written after %v has the time %v", ready, at)
	}
}
