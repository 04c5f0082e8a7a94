package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/lmittmann/tint"
)

type serverCmd struct {
	config `embed:""`
}

// Help is shown below the flags.
func (serverCmd) Help() string {
	return `Connect a repository: in its settings on GitHub add a webhook with the payload URL
<public URL>/webhook, content type application/json, the secret of
SLIPWAY_WEBHOOK_SECRET, and the events "pushes" and "pull requests". Nothing else
has to be set up: the next push of a commit with a .slipway.yml is built.`
}

// Run runs the server until it is told to stop. Containers that run then go on
// and are taken up by the next start.
func (s *serverCmd) Run(ctx context.Context, o output) error {
	if err := s.check(); err != nil {
		return err
	}
	log := newLogger(o.err, s.level())
	a, err := openApp(ctx, s.config, log)
	if err != nil {
		return err
	}
	defer a.close()
	log.Info("slipway is up", "version", version, "listening", a.listener.Addr().String(), "url", s.URL, "data", s.Data)
	return a.run(ctx)
}

// newLogger logs in colour to a terminal and as key=value elsewhere.
func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: "15:04:05.000"}))
		}
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
