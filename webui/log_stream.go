package webui

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

// streamLog sends the rows of a step's log as they are written, from ?from= or
// after the row of the last event that the browser has. An event "rows" is the
// HTML of some rows, its ID the number of the last one; "end" is sent when the
// step has ended and all rows are.
func (u *UI) streamLog(c *request) error {
	v, err := u.findBuild(c)
	if err != nil {
		return err
	}
	t, err := v.target(c)
	if err != nil {
		return err
	}
	from, _ := strconv.ParseInt(c.QueryParam("from"), 10, 64)
	if last, err := strconv.ParseInt(c.Request().Header.Get("Last-Event-ID"), 10, 64); err == nil {
		from = last + 1
	}
	from = max(1, from)
	maker, err := u.newRowMaker(c.Request().Context(), t, from)
	if err != nil && !errors.Is(err, logs.ErrNotFound) {
		return err
	}
	if maker == nil {
		maker = &rowMaker{path: t.path, raw: t.raw()}
	}
	return u.stream(c, func(ctx context.Context, e *events) error {
		return u.follow(ctx, e, v.Build.ID, t, maker, from)
	})
}

// follow sends what there is and what comes of a log.
func (u *UI) follow(ctx context.Context, e *events, buildID int64, t *logTarget, maker *rowMaker, from int64) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	var last store.Step
	var wait sync.WaitGroup
	wait.Go(func() {
		defer close(ended)
		last = u.awaitStep(ctx, buildID, t.step)
	})
	defer wait.Wait()
	defer cancel()
	for lines, err := range u.logs.Follow(ctx, t.key, from, ended) {
		if err != nil {
			return err
		}
		if err := u.sendRows(e, maker, lines); err != nil {
			return err
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-ended:
	}
	if !last.Status.Final() {
		return nil
	}
	return e.sendJSON("", "end", struct {
		Exited bool   `json:"exited"`
		Exit   int    `json:"exit"`
		Words  string `json:"words"`
		At     int64  `json:"at"`
	}{last.Exited, last.ExitCode, exitWords(last.ExitCode), last.FinishedAt.UnixMilli()})
}

// awaitStep returns the step when it has ended, or as it is if ctx ends first.
func (u *UI) awaitStep(ctx context.Context, buildID int64, step store.Step) store.Step {
	sub := u.store.Subscribe()
	defer sub.Close()
	for {
		steps, err := u.store.Steps(ctx, step.JobID)
		for _, s := range steps {
			if s.Number == step.Number {
				step = s
			}
		}
		if err != nil || step.Status.Final() {
			return step
		}
		if err := nextOf(ctx, sub, func(ev store.Event) bool { return ev.BuildID == buildID }); err != nil {
			return step
		}
	}
}

// nextOf waits for an event that is wanted.
func nextOf(ctx context.Context, sub *store.Subscription, wanted func(store.Event) bool) error {
	for {
		evs, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		for _, ev := range evs {
			if wanted(ev) {
				return nil
			}
		}
	}
}

// sendRows sends lines as one event.
func (u *UI) sendRows(e *events, maker *rowMaker, lines []logs.Line) error {
	var b bytes.Buffer
	id := ""
	for i := range lines {
		row := maker.row(&lines[i])
		if row.N > 0 {
			id = strconv.FormatInt(row.N, 10)
		}
		if row.N == 0 || !row.Command() {
			b.Write(row.append(b.AvailableBuffer()))
			continue
		}
		if err := u.templates.ExecuteTemplate(&b, "log-command", row); err != nil {
			return err
		}
	}
	return e.send(id, "rows", b.String())
}
