package logs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// benchLines are n lines as a build writes them, and the bytes of their text.
func benchLines(n int) (lines []Line, size int64) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		text := fmt.Sprintf("[%6d] compiling github.com/example/project/pkg%03d/file_%x.go %s",
			i, r.IntN(1000), r.Uint32(), strings.Repeat(".", r.IntN(40)))
		lines = append(lines, out(text))
		size += int64(len(text)) + 1
	}
	return lines, size
}

func BenchmarkAppend(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprint("lines=", batch), func(b *testing.B) {
			lines, size := benchLines(10000)
			w := create(b, openStore(b, b.TempDir(), 0, Options{MaxStored: 1 << 50}))
			b.SetBytes(size * int64(batch) / int64(len(lines)))
			at := 0
			for b.Loop() {
				appendLines(b, w, lines[at:at+batch]...)
				at = (at + batch) % len(lines)
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "lines/s")
			closeLog(b, w)
		})
	}
}

// BenchmarkFollow reads a whole log from its files, once for each follower.
func BenchmarkFollow(b *testing.B) {
	const rows = 500_000
	s, size := benchLog(b, rows)
	b.SetBytes(size)
	for b.Loop() {
		n := 0
		for batch, err := range s.Follow(b.Context(), key, 1, nil) {
			if err != nil {
				b.Fatal(err)
			}
			n += len(batch)
		}
		if n != rows {
			b.Fatalf("%d rows, want %d", n, rows)
		}
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkFollowLive takes one row from Append to a follower and back.
func BenchmarkFollowLive(b *testing.B) {
	s := openStore(b, b.TempDir(), 0, Options{MaxStored: 1 << 50})
	w := create(b, s)
	lines, _ := benchLines(1000)
	got := make(chan struct{})
	go func() {
		defer close(got)
		for batch, err := range s.Follow(b.Context(), key, 1, nil) {
			if err != nil {
				b.Error(err)
			}
			for range batch {
				got <- struct{}{}
			}
		}
	}()
	i := 0
	for b.Loop() {
		appendLines(b, w, lines[i%len(lines)])
		<-got
		i++
	}
	closeLog(b, w)
	<-got
}

func BenchmarkReadRandomLine(b *testing.B) {
	const rows = 500_000
	s, _ := benchLog(b, rows)
	for b.Loop() {
		for batch, err := range s.Read(b.Context(), key, rand.Int64N(rows)+1, 1) {
			if err != nil || len(batch) != 1 {
				b.Fatal(len(batch), err)
			}
		}
	}
}

func benchLog(b *testing.B, rows int) (s *Store, size int64) {
	b.Helper()
	s = openStore(b, b.TempDir(), 0, Options{})
	w := create(b, s)
	lines, _ := benchLines(rows)
	appendLines(b, w, lines...)
	closeLog(b, w)
	s = openStore(b, s.dir, 0, Options{})
	info, err := s.Stat(key)
	if err != nil {
		b.Fatal(err)
	}
	return s, info.Bytes
}
