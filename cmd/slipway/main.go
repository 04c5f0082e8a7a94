// Command slipway is a CI server for small organisations on GitHub.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/slipway-ci/slipway/runner/docker/pause"
)

// version is set by the build: -ldflags '-X main.version=…'.
var version = "unknown"

const description = `A CI server for small organisations on GitHub.

One binary receives webhooks, queues builds in SQLite, runs every step in a
throwaway Docker container, reports status checks back to GitHub, and shows the
logs in a web UI.

To see it work: slipway demo. To run it: slipway server --help says what it needs,
and slipway doctor whether all is well. Before you push: slipway lint, slipway run.
The server has the manual at /docs.`

type cli struct {
	Server      serverCmd      `cmd:"" help:"Run the server."`
	Demo        demoCmd        `cmd:"" help:"Show the main job on this machine, with a stand-in GitHub: a push, its build, its verdict."`
	Run         runCmd         `cmd:"" help:"Run the pipeline of the current directory here, without a server."`
	Lint        lintCmd        `cmd:"" help:"Check pipeline files, and show what an event would run and why."`
	Doctor      doctorCmd      `cmd:"" help:"Look at the engine, the disk, the database and the connection to GitHub, and say what to mend."`
	Schema      schemaCmd      `cmd:"" help:"Print the JSON schema of pipeline files, for editors."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask the server on this machine whether it is alive; exit code 1 if not."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == pause.Command { // before anything is set up: see package pause
		os.Exit(pause.Main(os.Args[2:], os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// output is where a command writes: answers to out, the rest to err.
type output struct{ out, err io.Writer }

// run is main with its surroundings as parameters. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	exit := -1
	parser := kong.Must(&cli{}, kong.Name("slipway"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, Tree: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(output{stdout, stderr}))
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help
	}
	if err != nil {
		fmt.Fprintf(stderr, "slipway: %v\nRun slipway --help.\n", err)
		return 2
	}
	if err := k.Run(); err != nil {
		var code exitCode
		if errors.As(err, &code) {
			return int(code)
		}
		fmt.Fprintf(stderr, "slipway: %v\n", err)
		return 1
	}
	return 0
}

// exitCode ends the program with that code and no message.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(o output) error {
	_, err := fmt.Fprintln(o.out, version)
	return err
}
