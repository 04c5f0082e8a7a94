package runnertest

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/slipway-ci/slipway/runner"
)

// A script is what a container of the suite runs: in a shell where there is one,
// as a Program on the Engine in memory.
type script struct {
	sh      string
	program Program
}

const manyLines = 200_000

var (
	exitZero  = script{"exit 0", Exit(0)}
	exitSeven = script{"exit 7", Exit(7)}
	killSelf  = script{"kill -9 $$", Exit(137)}
	bothWords = script{"echo out; echo err >&2; exit 3", func(p *Process) int {
		io.WriteString(p.Stdout(), "out\n")
		io.WriteString(p.Stderr(), "err\n")
		return 3
	}}
	// fastWriter writes to both streams as fast as it can.
	fastWriter = script{fmt.Sprintf("seq 1 %d; seq 1 %d >&2", manyLines, manyLines), func(p *Process) int {
		p.Stdout().Write([]byte(countTo(manyLines)))
		p.Stderr().Write([]byte(countTo(manyLines)))
		return 0
	}}
	// polite says so when it is told to end.
	polite = script{"trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done", func(p *Process) int {
		io.WriteString(p.Stdout(), "ready\n")
		<-p.Terminated()
		io.WriteString(p.Stdout(), "bye\n")
		return 5
	}}
	stubborn = script{"trap '' TERM; echo ready; while :; do sleep 0.05; done", Then(Print("ready\n", 0), Stubborn())}
	sleeper  = script{"echo ready; exec sleep 300", Then(Print("ready\n", 0), Block())}
	// answering is a sleeper that runs the suite's scripts on demand.
	answering = script{"echo ready; exec sleep 301", func(p *Process) int {
		p.OnExec(execScript)
		return Then(Print("ready\n", 0), Block())(p)
	}}
	showFile = script{"cat /work/src/hello.txt", func(p *Process) int {
		text, ok := p.File("/work/src/hello.txt")
		if !ok {
			return 1
		}
		io.WriteString(p.Stdout(), text)
		return 0
	}}
	writeFile = script{"echo changed > /work/src/hello.txt", func(p *Process) int {
		p.SetFile("/work/src/hello.txt", "changed\n")
		return 0
	}}
	longLine = script{"head -c 300000 /dev/zero | tr '\\0' x", Print(string(bytes.Repeat([]byte("x"), 300_000)), 0)}
)

// Scripts is an argument for Engine.Default with which the Engine passes
// Lifecycle: it knows the suite's scripts.
func Scripts(s runner.ContainerSpec) Program {
	if len(s.Cmd) != 1 {
		return nil
	}
	if s.Cmd[0] == answering.sh {
		return answering.program
	}
	return programOf(s.Cmd[0])
}

// programOf returns what stands for a script, or nil.
func programOf(sh string) Program {
	for _, k := range []script{
		exitZero, exitSeven, killSelf, bothWords, fastWriter, polite, stubborn, sleeper, showFile, writeFile, longLine, gated,
	} {
		if k.sh == sh {
			return k.program
		}
	}
	return nil
}

// execScript runs a script as a command in a container.
func execScript(command []string) runner.ExecResult {
	if len(command) != 3 || programOf(command[2]) == nil {
		return runner.ExecResult{ExitCode: 127}
	}
	c := newContainer("", runner.ContainerSpec{}, nil, nil, 0)
	code := programOf(command[2])(&Process{c: c})
	pieces, _, _ := c.record.from(0)
	var all []byte
	for _, p := range pieces {
		all = append(all, p.data...)
	}
	return runner.ExecResult{ExitCode: code, Output: string(all[max(0, len(all)-1024):])}
}

// countTo returns what seq 1 n prints.
func countTo(n int) string {
	b := make([]byte, 0, 7*n)
	for i := 1; i <= n; i++ {
		b = append(strconv.AppendInt(b, int64(i), 10), '\n')
	}
	return string(b)
}
