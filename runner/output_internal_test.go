package runner

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slipway-ci/slipway/runner/mask"
)

// rowLog is a Log that keeps rows as text.
type rowLog struct {
	rows   []string
	counts [3]int64
	err    error
}

func (l *rowLog) Append(lines ...Line) error {
	for _, line := range lines {
		if line.Open {
			continue
		}
		if line.End {
			l.counts[line.Stream]++
		}
		l.rows = append(l.rows, fmt.Sprintf("%d %d %v %d %s", line.Stream, line.Kind, line.End, line.Exit, line.Text))
	}
	return l.err
}

func (l *rowLog) SourceLines(s Stream) int64      { return l.counts[s] }
func (l *rowLog) Notices(int64) ([]string, error) { return nil, nil }
func (l *rowLog) Close() error                    { return l.err }

func testPasses(log Log, secrets ...string) *passes {
	set := mask.Compile(secrets)
	return &passes{sink: newSink(log, set), mask: set, nonce: "n0nce", limit: 1 << 40, passed: func() {}, commands: commandRows([]string{"make", "make secret\nmore"}, set)}
}

// read feeds text to stdout in writes of random size.
func read(t testing.TB, ps *passes, text string, rnd *rand.Rand, complete bool) {
	t.Helper()
	p, err := ps.begin()
	if err != nil {
		t.Fatal(err)
	}
	for len(text) > 0 {
		n := len(text)
		if rnd != nil {
			n = 1 + rnd.IntN(min(n, 12))
		}
		if _, err := p.stdout.Write([]byte(text[:n])); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	if complete {
		err = p.end()
	} else {
		ps.abandon(p)
	}
	if err == nil {
		err = ps.sink.flush()
	}
	if err != nil {
		t.Fatal(err)
	}
}

const (
	m0 = "\x1b]8642;slipway;n0nce;0;-1\a\n"
	m1 = "\x1b]8642;slipway;n0nce;1;0\a\n"
	m2 = "\x1b]8642;slipway;n0nce;2;0\a\n"
)

func TestOutput(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"Lines", "a\nb\n", "1 0 true 0 a|1 0 true 0 b"},
		{"NoFinalNewline", "a\nb", "1 0 true 0 a|1 0 true 0 b"},
		{"EmptyLines", "\n\n", "1 0 true 0 |1 0 true 0 "},
		{"Nothing", "", ""},
		{"Invalid", "a\xffb\xc3\n\xe2\x82", "1 0 true 0 a\uFFFDb\uFFFD|1 0 true 0 \uFFFD\uFFFD"},
		{"Rune", "€\n", "1 0 true 0 €"},
		{"Secret", "my secret\nsec\n", "1 0 true 0 my ********|1 0 true 0 sec"},
		{"Commands", m0 + "a\n" + m1 + "b\n", "1 1 true -1 make|1 0 true 0 a|1 1 true 0 make ********|0 2 true 0 more|1 0 true 0 b"},
		{"CommandAgain", m0 + m0, "1 1 true -1 make|1 1 true -1 make"},
		{"WrongNonce", strings.ReplaceAll(m0, "n0nce", "other"), "1 0 true 0 " + strings.TrimSuffix(strings.ReplaceAll(m0, "n0nce", "other"), "\n")},
		{"WithinALine", "x" + m0 + "sec" + m1 + "ret", "1 0 true 0 x|1 1 true -1 make|1 0 true 0 sec|1 1 true 0 make ********|0 2 true 0 more|1 0 true 0 ret"},
		{"Passed", m0 + "a\n" + m2, "1 1 true -1 make|1 0 true 0 a"},
		{"PassedWithinALine", m0 + "a" + m2, "1 1 true -1 make|1 0 true 0 a"},
		{"NotWhole", strings.TrimSuffix(m0, "\n"), "1 0 true 0 " + strings.TrimSuffix(m0, "\n")},
		{"NoSuchCommand", strings.Replace(m0, ";0;", ";3;", 1), "1 0 true 0 " + strings.Replace(strings.TrimSuffix(m0, "\n"), ";0;", ";3;", 1)},
		{"LongMarker", strings.Replace(m0, ";0;", ";"+strings.Repeat("0", 40)+";", 1), "1 0 true 0 " + strings.Replace(strings.TrimSuffix(m0, "\n"), ";0;", ";"+strings.Repeat("0", 40)+";", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(20) {
				log := &rowLog{}
				var rnd *rand.Rand
				if seed > 0 {
					rnd = rand.New(rand.NewPCG(seed, 0))
				}
				read(t, testPasses(log, "secret"), tt.text, rnd, true)
				if got := strings.Join(log.rows, "|"); got != tt.want {
					t.Fatalf("seed %d: got %q, want %q", seed, got, tt.want)
				}
			}
		})
	}
}

func TestMarkersOnStderrAreOutput(t *testing.T) {
	log := &rowLog{}
	ps := testPasses(log)
	p, err := ps.begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.stderr.Write([]byte(m0)); err != nil {
		t.Fatal(err)
	}
	if err := ps.sink.flush(); err != nil {
		t.Fatal(err)
	}
	if want := "2 0 true 0 " + strings.TrimSuffix(m0, "\n"); len(log.rows) != 1 || log.rows[0] != want {
		t.Errorf("rows %q, want %q", log.rows, want)
	}
}

// TestCommandsThatAreShownAgainCount: a step can read its own script, print its
// markers and have a little output become much.
func TestCommandsThatAreShownAgainCount(t *testing.T) {
	const lines, limit = 1000, 100_000
	log := &countLog{}
	ps := testPasses(log)
	ps.limit, ps.commands = limit, commandRows([]string{strings.Repeat("\n", lines-1) + "true"}, ps.mask)
	p, err := ps.begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.stdout.Write([]byte(strings.Repeat(m0, 1000))); !errors.Is(err, errFlood) {
		t.Errorf("error %v, want %v", err, errFlood)
	}
	if err := ps.sink.flush(); err != nil {
		t.Fatal(err)
	}
	if log.rows > limit {
		t.Errorf("%d rows of at most %d bytes of output", log.rows, limit)
	}
	if log.most >= flushRows+lines {
		t.Errorf("%d rows were gathered, want at most %d and a command's", log.most, flushRows)
	}
}

// TestEmptyLinesAreNotGatheredForever: they have no text of which there might be
// enough.
func TestEmptyLinesAreNotGatheredForever(t *testing.T) {
	log := &countLog{}
	read(t, testPasses(log), strings.Repeat("\n", 3*flushRows), nil, true)
	if log.rows != 3*flushRows || log.most > flushRows {
		t.Errorf("%d rows, %d of them at once; want %d and at most %d", log.rows, log.most, 3*flushRows, flushRows)
	}
}

func TestLongLines(t *testing.T) {
	text := strings.Repeat("a", MaxLine-1) + "€" + strings.Repeat("b", MaxLine) + "\nend\n" + strings.Repeat("c", MaxLine) + "\n"
	log := &rowLog{}
	read(t, testPasses(log), text, nil, true)
	want := []string{
		"1 0 false 0 " + strings.Repeat("a", MaxLine-1),
		"1 0 false 0 €" + strings.Repeat("b", MaxLine-3),
		"1 0 true 0 bbb",
		"1 0 true 0 end",
		"1 0 true 0 " + strings.Repeat("c", MaxLine),
	}
	if len(log.rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(log.rows), len(want))
	}
	for i := range want {
		if log.rows[i] != want[i] {
			t.Errorf("row %d: %d bytes %.20q, want %d bytes %.20q", i, len(log.rows[i]), log.rows[i], len(want[i]), want[i])
		}
	}
}

// FuzzOutput: however the output is cut into writes, and however often reading
// it breaks off and begins again, the rows are the same.
func FuzzOutput(f *testing.F) {
	f.Add("a\n"+m0+"secret\n\xff€\n"+m1+"tail", uint64(1))
	f.Add("\x1b]8642;slipway;n0n\n\n"+m0+m1, uint64(2))
	f.Add("sec"+m0+"ret"+m1+"\x1b"+m2, uint64(3))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		plain := &rowLog{}
		read(t, testPasses(plain, "secret", "ret\xff"), text, nil, true)
		for _, row := range plain.rows {
			if !utf8.ValidString(row) || strings.Contains(row, "secret") {
				t.Errorf("row %q", row)
			}
		}
		rnd := rand.New(rand.NewPCG(seed, 0))
		log := &rowLog{}
		ps := testPasses(log, "secret", "ret\xff")
		for range 3 {
			read(t, ps, text[:rnd.IntN(len(text)+1)], rnd, false)
		}
		read(t, ps, text, rnd, true)
		if got, want := strings.Join(log.rows, "|"), strings.Join(plain.rows, "|"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// countLog only counts.
type countLog struct{ rows, appends, most int }

func (l *countLog) Append(lines ...Line) error {
	l.rows += len(lines)
	l.appends++
	l.most = max(l.most, len(lines))
	return nil
}
func (l *countLog) SourceLines(Stream) int64        { return 0 }
func (l *countLog) Notices(int64) ([]string, error) { return nil, nil }
func (l *countLog) Close() error                    { return nil }

// BenchmarkOutput stores lines of 100 bytes, in writes of 32 KiB.
func BenchmarkOutput(b *testing.B) {
	var text bytes.Buffer
	for i := 0; text.Len() < 32<<10; i++ {
		fmt.Fprintf(&text, "%099d\n", i)
	}
	secrets := make([]string, 20)
	for i := range secrets {
		secrets[i] = fmt.Sprintf("%c-secret-%d", 'a'+i, i)
	}
	for _, n := range []int{0, 20} {
		b.Run(fmt.Sprintf("secrets=%d", n), func(b *testing.B) {
			log := &countLog{}
			ps := testPasses(log, secrets[:n]...)
			p, err := ps.begin()
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.stdout.Write(text.Bytes()); err != nil {
					b.Fatal(err)
				}
			}
			if err := ps.sink.close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(log.rows), "ns/line")
		})
	}
}

// TestEngineClockIsBounded: one that goes wrong makes no line older than its step
// or newer than now.
func TestEngineClockIsBounded(t *testing.T) {
	since := time.Now().Add(-time.Hour)
	w := &streamWriter{since: since}
	w.At(since.Add(time.Minute))
	if got := w.now(); !got.Equal(since.Add(time.Minute)) {
		t.Errorf("within: %v", got)
	}
	w.At(since.Add(-time.Minute))
	if got := w.now(); !got.Equal(since) {
		t.Errorf("before the step: %v, want %v", got, since)
	}
	for _, late := range []time.Time{{}, time.Now().Add(time.Hour)} {
		w.At(late)
		from := time.Now()
		if got := w.now(); got.Before(from) || got.After(time.Now()) {
			t.Errorf("told %v: %v, want now", late, got)
		}
	}
}
