package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// stepsOf returns a pipeline of so many steps with one command each, one after
// the other or all at once.
func stepsOf(n int, command string, atOnce bool) string {
	var b strings.Builder
	b.WriteString("steps:\n")
	for i := range n {
		needs := "[]"
		if i > 0 && !atOnce {
			needs = fmt.Sprintf("[step-%d]", i-1)
		}
		fmt.Fprintf(&b, "  - {name: step-%d, image: IMAGE, commands: %q, depends_on: %s}\n", i, command, needs)
	}
	return b.String()
}

// BenchmarkTenSteps takes pushes of ten `true` steps, one after the other, to
// their verdict, beside ten times `docker run`.
func BenchmarkTenSteps(b *testing.B) {
	w := benchWorld(b, 2)
	r := w.repo("bench")
	files := w.files(stepsOf(10, "true", false))
	w.measure(b, "ten-docker-runs", func() samples {
		return samples{"ten-docker-runs": w.dockerRun(10), "verdict": w.pushAndWatch(r, files).verdict}
	})
}

// BenchmarkTenSleeps is the same with steps that take a second each: over is
// what they take more than that, beside one `docker run`.
func BenchmarkTenSleeps(b *testing.B) {
	w := benchWorld(b, 2)
	r := w.repo("bench")
	files := w.files(stepsOf(10, "sleep 1", false))
	w.measure(b, "docker-run", func() samples {
		return samples{"docker-run": w.dockerRun(1), "over": w.pushAndWatch(r, files).verdict - 10*time.Second}
	})
}

// BenchmarkEightAtOnce takes pushes of eight steps that sleep for a second, all
// at once, to their verdict, beside eight `docker run` at once. Cold is without
// networks that stand ready.
func BenchmarkEightAtOnce(b *testing.B) {
	for name, pool := range map[string]int{"Ready": 2, "Cold": 0} {
		b.Run(name, func(b *testing.B) {
			w := benchWorld(b, pool)
			r := w.repo("bench")
			files := w.files(stepsOf(8, "sleep 1", true))
			w.measure(b, "eight-docker-runs", func() samples {
				began := time.Now()
				var all sync.WaitGroup
				for range 8 {
					all.Go(func() {
						if out, err := exec.CommandContext(w.ctx, "docker", "run", "--rm", w.image, "sleep", "1").CombinedOutput(); err != nil {
							w.Errorf("docker run: %v: %s", err, out)
						}
					})
				}
				all.Wait()
				unit := time.Since(began)
				return samples{"eight-docker-runs": unit, "verdict": w.pushAndWatch(r, files).verdict}
			})
		})
	}
}

// aLine has 100 bytes with its newline.
var (
	aLine        = strings.Repeat("x", 99)
	millionLines = fmt.Sprintf("yes %s | head -n 1000000", aLine)
)

// BenchmarkMillionLines takes a push of a step that writes 1,000,000 lines of 100
// bytes to its verdict, beside `docker run` of the same into a file. All of it is
// in the log then.
func BenchmarkMillionLines(b *testing.B) {
	w := benchWorld(b, 2, func(c *config) { c.StepLog = 1 << 30 })
	r := w.repo("bench")
	files := w.files(stepsOf(1, millionLines, false))
	w.measure(b, "docker-run", func() samples {
		unit := w.dockerRunToFile(b, millionLines)
		took := w.pushAndWatch(r, files).verdict
		return samples{"docker-run": unit, "verdict": took}
	})
	if log := w.log(r, 1, 1, 1); strings.Count(log, aLine+"\n") != 1_000_000 {
		b.Errorf("the log has %d bytes, and not all lines", len(log))
	}
}

// dockerRunToFile runs a command in the image, its output in a file.
func (w *world) dockerRunToFile(b *testing.B, command string) time.Duration {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	cmd := exec.CommandContext(w.ctx, "docker", "run", "--rm", w.image, "sh", "-c", command)
	cmd.Stdout = f
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("docker run: %v", err)
	}
	return time.Since(began)
}
