package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkMemory reports how much memory (RSS) a server has when it idles after
// its first build, ten seconds later, and the most it has while a step writes 1,000,000 lines of 100
// bytes, and while somebody reads all of them.
func BenchmarkMemory(b *testing.B) {
	program := filepath.Join(b.TempDir(), "slipway")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".") // as make does
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build slipway: %v: %s", err, out)
	}
	b.Setenv(programVariable, program)
	m := newMachine(b, "SLIPWAY_STEP_LOG=1GiB")
	r := m.repo("memory")
	for b.Loop() {
		m.wantVerdict(r, m.push(r, m.files(stepsOf(1, "true", false))), "success: passed in …")
		time.Sleep(2 * quiet)
		b.ReportMetric(m.p.memory("VmRSS"), "idle-MB")
		m.p.resetPeak()
		m.wantVerdict(r, m.push(r, m.files(stepsOf(1, millionLines, false))), "success: passed in …")
		b.ReportMetric(m.p.memory("VmHWM"), "writing-MB")
		m.p.resetPeak()
		m.readAll("/api/repos/" + r.FullName() + "/builds/2/jobs/1/steps/1/log")
		b.ReportMetric(m.p.memory("VmHWM"), "reading-MB")
	}
	b.ReportMetric(0, "ns/op") // of no meaning here
	m.shutdown()
}

// readAll reads what a URL answers, and checks that it is the million lines.
func (m *machine) readAll(path string) {
	m.Helper()
	resp, err := http.Get(m.url(path))
	if err != nil {
		m.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n < 1_000_000*100 {
		m.Fatalf("read %d bytes: %v", n, err)
	}
}

// memory returns a line of the process's status in MB, see proc(5).
func (p *process) memory(line string) float64 {
	p.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.Fatal(err)
	}
	for l := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(l, ":")
		if kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64); name == line && err == nil {
			return kib * 1024 / 1e6
		}
	}
	p.Fatalf("the process has no %s", line)
	return 0
}

// resetPeak makes VmHWM what the process has now.
func (p *process) resetPeak() {
	p.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0); err != nil {
		p.Fatal(err)
	}
}
