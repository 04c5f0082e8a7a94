package logs

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// childDir, in the environment, makes the test binary write a log there until
// it is killed.
const childDir = "SLIPWAY_TEST_LOG_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := writeForEver(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// childLine is a line of the source that the child writes; each third one is
// only a piece.
func childLine(n int64) Line {
	text := fmt.Sprintf("%d %s", n, strings.Repeat("abc ", int(n*7919%97)))
	return Line{Stream: Stdout, Time: epoch, Text: []byte(text), End: n%3 != 0}
}

// writeForEver goes on with a log and says how many rows there are after each
// Append.
func writeForEver(dir string) error {
	s, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	s.fill = 1000
	w, err := s.Create(key)
	if err != nil {
		return err
	}
	// Each source line ends with a row that is no third one: skip that many.
	n := int64(1)
	for ended := int64(0); ended < w.SourceLines(Stdout); n++ {
		if childLine(n).End {
			ended++
		}
	}
	for ; ; n += 2 {
		if err := w.Append(childLine(n), childLine(n+1)); err != nil {
			return err
		}
		if _, err := fmt.Println(n + 1); err != nil {
			return err
		}
	}
}

// TestKill kills a process that writes, again and again, and finds every row it
// told of, once.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 12 {
		told := killWriter(t, dir, 150+37*round)
		s := openStore(t, dir, 1000, Options{})
		rows := collect(t, s, 1, -1)
		if int64(len(rows)) < told {
			t.Fatalf("%d rows, the writer told of %d", len(rows), told)
		}
		want := make([]Line, len(rows))
		for i := range want {
			want[i] = childLine(int64(i + 1))
		}
		diffLines(t, rows, number(want))
	}
}

// killWriter starts a writer, kills it after some Appends, and returns the last
// row it told of.
func killWriter(t *testing.T, dir string, appends int) (told int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if told, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Error(err)
		}
		if appends--; appends == 0 {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || appends > 0 {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	return told
}
