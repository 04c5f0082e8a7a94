package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/lmittmann/tint"
)

type serverCmd struct {
	config `embed:""`
}

// Help is shown below the flags.
func (serverCmd) Help() string {
	return `It needs a Docker engine, git, and these settings, as variables of the environment:

    SLIPWAY_URL             https://ci.example.org, where GitHub and browsers reach it
    SLIPWAY_GITHUB_TOKEN    a token that reads contents and writes commit statuses
    SLIPWAY_WEBHOOK_SECRET  made up (openssl rand -hex 32), the same as at the webhook
    SLIPWAY_ADMIN_TOKEN     made up: who has it may cancel, restart and approve

Connect a repository: in its settings on GitHub add a webhook with the payload URL
<public URL>/webhook, content type application/json, the secret of
SLIPWAY_WEBHOOK_SECRET, and the events "pushes" and "pull requests". Nothing else
has to be set up: the next push of a commit with a .slipway.yml is built.

To upgrade, stop it with SIGTERM or SIGINT and start the new version. At the
signal it claims no more jobs and ends; containers that run go on, and the next
start takes them up where they are. With --drain it waits for the jobs that run
and says which; webhooks are taken meanwhile. A second signal changes its mind:
without --drain, within a second, it waits; with --drain it ends at once.`
}

// Run runs the server until it is told to stop; see Help.
func (s *serverCmd) Run(ctx context.Context, o output) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM) // the first ends ctx too
	defer signal.Stop(signals)
	if ctx.Err() != nil {
		return nil
	}
	if err := s.check(); err != nil {
		return err
	}
	log := newLogger(o.err, s.level())
	a, err := openApp(ctx, s.config, log)
	if err != nil {
		return err
	}
	defer a.close()
	a.drain, a.signals = s.Drain, signals
	warnInContainer(log)
	log.Info("slipway is up", "version", version, "listening", a.listener.Addr().String(), "url", s.URL, "data", s.Data)
	return a.run(ctx)
}

// newLogger logs in colour to a terminal and as key=value elsewhere.
func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	if isTerminal(w) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: "15:04:05.000"}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
