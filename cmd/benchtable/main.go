// Benchtable makes a table of what `go test -bench` writes, line by line as it
// comes, with the machine it was measured on at its head:
//
//	go test -run '^$' -bench . ./... | go run ./cmd/benchtable
//
// With a file's name as its argument it also writes those figures into the file
// that have a goal, as a Markdown table.
//
// Times and rates of one machine say little about another; the ratios do, since
// what they compare was done in the same run.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

func main() {
	t := &table{out: os.Stdout, cores: runtime.NumCPU()}
	err := t.read(os.Stdin)
	if err == nil && len(os.Args) > 1 {
		err = t.write(os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
}

const module = "github.com/slipway-ci/slipway/"

// read copies in to t.out as a table. Lines that are not of benchmarks, such as
// those of failures, stay as they are.
func (t *table) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := t.line(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

type table struct {
	out      io.Writer
	cores    int
	cpu      string
	headed   bool
	pkg      string            // whose rows come next and are not yet announced
	measured map[string]string // by benchmark and unit
}

func (t *table) line(line string) error {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "goos", "goarch":
		return nil
	case "pkg":
		t.pkg = strings.TrimPrefix(value, module)
		return nil
	case "cpu":
		return t.head(value)
	}
	if row, ok := parse(line, t.cores); ok {
		return t.row(row)
	}
	if line == "PASS" || strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "?   \t") || strings.HasSuffix(line, "[no test files]") {
		return nil
	}
	_, err := fmt.Fprintln(t.out, line)
	return err
}

func (t *table) head(cpu string) error {
	if t.headed {
		return nil
	}
	t.headed, t.cpu = true, cpu
	_, err := fmt.Fprintf(t.out, "%d cores, %s\n", t.cores, cpu)
	return err
}

func (t *table) row(r row) error {
	if t.pkg != "" {
		if _, err := fmt.Fprintf(t.out, "\n%s\n", t.pkg); err != nil {
			return err
		}
		t.pkg = ""
	}
	if t.measured == nil {
		t.measured = map[string]string{}
	}
	name := r.name
	for _, m := range r.metrics {
		t.measured[r.name+" "+m.unit] = m.value
		if _, err := fmt.Fprintf(t.out, "  %-36s %12s %s\n", name, m.value, m.unit); err != nil {
			return err
		}
		name = "" // stands once
	}
	return nil
}

// row is one benchmark's results.
type row struct {
	name    string
	metrics []metric
}

type metric struct{ value, unit string }

// parse reads "BenchmarkName-2  100  3.5 ms/op  7 MB/s". The name's suffix is
// GOMAXPROCS.
func parse(line string, procs int) (row, bool) {
	name, found := strings.CutPrefix(line, "Benchmark")
	f := strings.Fields(name)
	if !found || len(f) < 4 || len(f)%2 != 0 {
		return row{}, false
	}
	r := row{name: strings.TrimSuffix(f[0], fmt.Sprintf("-%d", procs))}
	for i := 2; i < len(f); i += 2 {
		r.metrics = append(r.metrics, metric{value: f[i], unit: f[i+1]})
	}
	return r, true
}
