package webui

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
)

const (
	// maxLines is the most rows that one request is given, and maxLinesBytes what
	// they weigh at most; a browser asks for those that it did not get.
	maxLines      = 2000
	maxLinesBytes = 2 << 20
)

// lines answers with the HTML of ?n= rows from row ?from= on; with ?whole=1 long
// rows are not cut. A row that is stored does not change, so a browser may keep
// it, under an address (?v=) that tells how it was made.
func (u *UI) lines(c *request) error {
	t, err := u.findLog(c)
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(c.QueryParam("from"), 10, 64)
	n, errN := strconv.ParseInt(c.QueryParam("n"), 10, 64)
	if err != nil || errN != nil || from < 1 || n < 1 {
		return &pageError{http.StatusBadRequest, "Say which rows: from and n are numbers from 1."}
	}
	n = min(n, maxLines)
	html, got, err := u.rowsHTML(c.Request().Context(), t, from, n, c.QueryParam("whole") != "")
	if errors.Is(err, logs.ErrNotFound) {
		return errNotFound
	} else if err != nil {
		return err
	}
	if got > 0 && !c.repo.Private && c.QueryParam("v") == u.assets.hash {
		c.Response().Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	return c.HTML(http.StatusOK, html)
}

// rowsHTML renders rows and says how many.
func (u *UI) rowsHTML(ctx context.Context, t *logTarget, from, n int64, whole bool) (string, int64, error) {
	maker, err := u.newRowMaker(ctx, t, from)
	if err != nil {
		return "", 0, err
	}
	maker.whole = whole
	var b []byte
	got := int64(0)
	for lines, err := range u.logs.Read(ctx, t.key, from, n) {
		if err != nil {
			return "", 0, err
		}
		for i := range lines {
			if lines[i].Open {
				continue
			}
			row := maker.row(&lines[i])
			b = row.append(b)
			if got++; len(b) > maxLinesBytes {
				return string(b), got, nil
			}
		}
	}
	return string(b), got, nil
}

// findLog returns the log that the path names.
func (u *UI) findLog(c *request) (*logTarget, error) {
	v, err := u.findBuild(c)
	if err != nil {
		return nil, err
	}
	return v.target(c)
}

// raw answers with a log as plain text, or a part of it; with ?download=1 the
// browser saves it.
func (u *UI) raw(c *request) error {
	t, err := u.findLog(c)
	if err != nil {
		return err
	}
	text, err := u.logs.Text(c.Request().Context(), t.key)
	if errors.Is(err, logs.ErrNotFound) {
		return errNotFound
	} else if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if c.QueryParam("download") != "" {
		h.Set("Content-Disposition", attachment(fmt.Sprintf("%s-%s-%s.log", c.repo.Name, c.Param("number"), t.step.Name)))
	}
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, text)
	return nil
}

// rawAll answers with a zip of the logs of all steps of a build, made while it
// is sent.
func (u *UI) rawAll(c *request) error {
	p, err := u.findBuild(c)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", attachment(fmt.Sprintf("%s-%d-logs.zip", p.Repo.Name, p.Build.Number)))
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	z := zip.NewWriter(c.Response())
	for i := range p.Jobs {
		for k := range p.Jobs[i].Steps {
			if err := u.zipLog(c.Request().Context(), z, p, &p.Jobs[i], &p.Jobs[i].Steps[k]); err != nil {
				// What was sent is no whole archive, and shall not look like one.
				u.log.Error("zip logs", "repo", p.Repo.FullName(), "build", p.Build.Number, "error", err)
				panic(http.ErrAbortHandler)
			}
		}
	}
	return z.Close()
}

// zipLog adds the log of a step, if it has one.
func (u *UI) zipLog(ctx context.Context, z *zip.Writer, p *buildPage, j *jobView, s *stepView) error {
	text, err := u.logs.Text(ctx, store.LogKey(p.Build.ID, j.Number, s.Number))
	if errors.Is(err, logs.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	w, err := z.CreateHeader(&zip.FileHeader{
		Name:     fmt.Sprintf("%02d-%s/%02d-%s.log", j.Number, fileName(j.Name), s.Number, fileName(s.Name)),
		Method:   zip.Deflate,
		Modified: s.StartedAt,
	})
	if err != nil {
		return fmt.Errorf("add log to zip: %w", err)
	}
	if _, err := io.Copy(w, text); err != nil {
		return fmt.Errorf("add log to zip: %w", err)
	}
	return nil
}

func attachment(name string) string { return `attachment; filename="` + fileName(name) + `"` }

// fileName makes a name of a job or a step one that every file system takes.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '_'
	}, name)
}
