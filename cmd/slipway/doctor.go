package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/server/github"
)

type doctorCmd struct {
	config `embed:""`
	Format string   `default:"text" enum:"text,json" help:"text or json."`
	Repo   []string `placeholder:"OWNER/NAME" help:"Repositories in which to try what the token may do (default: those with the newest builds)."`
}

// Help is shown below the flags.
func (doctorCmd) Help() string {
	return `It looks at the Docker engine, the data directory, the disk, the clock and the
connection to GitHub, and says of each whether it is well and, if not, what to do.
It changes nothing, and it may run beside the server. Give it the settings that
the server has: its environment, or flags. In a container:

    docker compose exec slipway slipway doctor

  ok       is well
  warning  works, but less safely or less well than it could
  mend     keeps builds from running, or puts them or this machine at risk

The exit code is 1 if something is to be mended, and 0 otherwise, also with
warnings. Piped, it prints one line a finding; --format json prints an object
with the findings, each with "check", "level", "finding" and "remedy".`
}

const (
	checkTimeout = 15 * time.Second // of one check
	readTimeout  = 5 * time.Minute  // of one that reads files whole
)

// Run looks at everything and prints what it finds.
func (c *doctorCmd) Run(ctx context.Context, o output) error {
	d := &doctor{config: c.config, repos: c.Repo}
	d.open()
	defer d.close()
	r := newDoctorReport(o, c.Format)
	// What the others stand on comes first.
	runChecks(ctx, []check{
		{"settings", checkTimeout, d.checkSettings},
		{"public URL", checkTimeout, d.checkURL},
		{"data directory", checkTimeout, d.checkData},
		{"database", readTimeout, d.checkDatabase},
		{"engine", checkTimeout, d.checkEngine},
	}, r)
	runChecks(ctx, d.rest(), r)
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("not everything was looked at: %w", err)
	}
	return r.end()
}

// doctor is a look at everything. Its checks run at once.
type doctor struct {
	config config
	repos  []string // "owner/name" in which to try the token
	wrong  []error  // what cannot be in the settings

	cli    *client.Client // nil if there cannot be one
	github *github.Client // nil if there cannot be one

	// What a check found that others need. Atomic, since one whose time is over
	// may still run.
	engine atomic.Pointer[engineFacts] // nil if it does not answer
	recent atomic.Pointer[[]string]    // repositories with the newest builds
}

// open prepares what checks ask through. Nothing is asked yet.
func (d *doctor) open() {
	d.wrong = parts(d.config.check())
	var err error
	if d.cli, err = docker.Dial(d.config.DockerHost); err != nil {
		d.wrong = append(d.wrong, err)
	}
	if d.config.githubToken == "" {
		return // which check has told
	}
	if d.github, err = github.New(github.Options{BaseURL: d.config.GitHubURL, Token: d.config.githubToken,
		UserAgent: "slipway/" + version, Timeout: checkTimeout}); err != nil {
		d.wrong = append(d.wrong, fmt.Errorf("%w; set SLIPWAY_GITHUB_TOKEN and SLIPWAY_GITHUB_URL right", err))
	}
}

func (d *doctor) close() {
	if d.cli != nil {
		_ = d.cli.Close() // nothing was written
	}
}

// rest are the checks that need what the first ones found out.
func (d *doctor) rest() []check {
	checks := []check{
		{"disk", checkTimeout, d.checkDisk},
		{"logs", readTimeout, d.checkLogs},
	}
	if f := d.engine.Load(); f != nil {
		checks = append(checks,
			check{"known escapes", checkTimeout, f.checkEscapes},
			check{"isolation", checkTimeout, f.checkIsolation},
			check{"runtime", checkTimeout, f.checkRuntime(d.config.Runtime)},
			check{"limits", checkTimeout, f.checkLimits},
			check{"cgroups", checkTimeout, f.checkCgroups},
			check{"storage", checkTimeout, f.checkStorage},
			check{"live restore", checkTimeout, f.checkLiveRestore},
			check{"job networks", checkTimeout, d.checkNetworks},
			check{"DNS of builds", checkTimeout, d.checkDNS})
	}
	if d.github != nil {
		checks = append(checks,
			check{"clock", checkTimeout, d.checkClock},
			check{"GitHub", checkTimeout, d.checkToken},
			check{"access", time.Minute, d.checkAccess})
	}
	return checks
}

// checkSettings is what a start of the server would say, and what else is odd.
func (d *doctor) checkSettings(context.Context) (found findings) {
	for _, err := range d.wrong {
		found.wrong(err, "see slipway server --help")
	}
	if d.config.adminToken == "" {
		found.warn("no admin token: nobody can log in, approve, cancel or restart", "set SLIPWAY_ADMIN_TOKEN (make one: openssl rand -hex 32)")
	}
	for _, s := range []struct{ name, value string }{
		{"SLIPWAY_WEBHOOK_SECRET", d.config.webhookSecret}, {"SLIPWAY_ADMIN_TOKEN", d.config.adminToken},
	} {
		if s.value != "" && len(s.value) < shortSecret {
			found.warn(fmt.Sprintf("%s has %d characters, which can be guessed", s.name, len(s.value)), "make a longer one: openssl rand -hex 32")
		}
	}
	return found.orOK("complete")
}

// shortSecret is how few characters of a secret are worth a warning.
const shortSecret = 16

// parts returns the errors that were joined to err.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error }) // the outermost is meant
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, parts(e)...)
	}
	return all
}
