package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/slipway-ci/slipway/runner/runnertest"
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
// networks that stand ready; engine is what the same containers take then if
// nothing but them is asked of the engine.
func BenchmarkEightAtOnce(b *testing.B) {
	for name, pool := range map[string]int{"Ready": 2, "Cold": 0} {
		b.Run(name, func(b *testing.B) {
			w := benchWorld(b, pool)
			r := w.repo("bench")
			files := w.files(stepsOf(8, "sleep 1", true))
			w.measure(b, "eight-docker-runs", func() samples {
				began := time.Now()
				var runs sync.WaitGroup
				for range 8 {
					runs.Go(func() {
						if out, err := exec.CommandContext(w.ctx, "docker", "run", "--rm", w.image, "sleep", "1").CombinedOutput(); err != nil {
							w.Errorf("docker run: %v: %s", err, out)
						}
					})
				}
				runs.Wait()
				all := samples{"eight-docker-runs": time.Since(began)}
				if pool == 0 {
					all["engine"] = w.eightOnOneNetwork(b)
				}
				all["verdict"] = w.pushAndWatch(r, files).verdict
				return all
			})
		})
	}
}

// eightOnOneNetwork makes a network and eight containers on it, and in the network
// namespace of each one that sleeps for a second. It returns how long it took until
// these had ended.
func (w *world) eightOnOneNetwork(b *testing.B) time.Duration {
	b.Helper()
	cli, name := runnertest.Docker(b), "bench-"+strings.ToLower(rand.Text())
	run := func(mode container.NetworkMode, command ...string) string {
		c, err := cli.ContainerCreate(w.ctx, &container.Config{Image: w.image, Cmd: command}, &container.HostConfig{NetworkMode: mode}, nil, nil, "")
		if err == nil {
			err = cli.ContainerStart(w.ctx, c.ID, container.StartOptions{})
		}
		if err != nil {
			b.Error(err)
		}
		return c.ID
	}
	var made [16]string
	began := time.Now()
	n, err := cli.NetworkCreate(w.ctx, name, network.CreateOptions{})
	if err != nil {
		b.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			made[i] = run(container.NetworkMode(name), "sleep", "1000")
			made[8+i] = run(container.NetworkMode("container:"+made[i]), "sleep", "1")
			ended, failed := cli.ContainerWait(w.ctx, made[8+i], container.WaitConditionNotRunning)
			select {
			case <-ended:
			case err := <-failed:
				b.Error(err)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	for _, id := range made {
		if err := cli.ContainerRemove(w.ctx, id, container.RemoveOptions{Force: true}); err != nil {
			b.Error(err)
		}
	}
	if err := cli.NetworkRemove(w.ctx, n.ID); err != nil {
		b.Error(err)
	}
	return took
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
