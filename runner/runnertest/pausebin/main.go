// Command pausebin is what tests run sandboxes with: the sandbox command of
// slipway and nothing else, so that it is built and imported in no time.
package main

import (
	"os"

	"github.com/slipway-ci/slipway/runner/docker/pause"
)

func main() { os.Exit(pause.Main(os.Args[2:], os.Stdout, os.Stderr)) }
