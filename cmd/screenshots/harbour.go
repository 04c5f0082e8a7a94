package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/image"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

const (
	githubToken   = "the-token-of-the-pictures"
	webhookSecret = "the-webhook-secret-of-the-pictures"
	adminToken    = "the-admin-token-of-the-pictures"

	patience = 3 * time.Minute // for anything that is waited for
	often    = 50 * time.Millisecond
	clean    = time.Minute // for removing everything
)

// images are those of the sample's steps, a busybox each, and what is changed in
// them. The tools are scripts in the repositories.
var images = map[string][]string{
	"harbour.example/golang:1.24": {toolsFirst},
	"harbour.example/golang:1.25": {toolsFirst},
	"harbour.example/golang:1.26": {toolsFirst},
	"harbour.example/node:24":     {toolsFirst},
	"harbour.example/postgres:17": {toolsFirst, `CMD ["/bin/sh", "-c", "echo 'LOG:  database system is ready to accept connections'; exec httpd -f -p 5432"]`},
}

const toolsFirst = "ENV PATH=/slipway/src/.stand-in:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// harbour is a running server, and the stand-in for GitHub that it hears.
type harbour struct {
	options
	dir    string // what is removed in the end
	github *githubtest.Server
	server *exec.Cmd
	url    string // of the server
	made   []string
}

// openHarbour starts both. What it returns is to be closed, also after an error.
func openHarbour(ctx context.Context, o options) (*harbour, error) {
	h := &harbour{options: o}
	var err error
	if h.dir, err = os.MkdirTemp("", "slipway-screenshots-"); err != nil {
		return h, err
	}
	if err := h.makeImages(ctx); err != nil {
		return h, err
	}
	h.github, err = githubtest.New(githubtest.Options{Token: githubToken, WebhookSecret: webhookSecret})
	if err != nil {
		return h, err
	}
	if err := h.github.Start("127.0.0.1:0"); err != nil {
		return h, err
	}
	if err := h.startServer(ctx); err != nil {
		return h, err
	}
	return h, h.github.AddWebhook(h.url + "/webhook")
}

func (h *harbour) makeImages(ctx context.Context) error {
	cli, err := docker.Dial(os.Getenv("DOCKER_HOST"))
	if err != nil {
		return err
	}
	defer func() { _ = cli.Close() }()
	for ref, changes := range images {
		h.made = append(h.made, ref)
		if err := docker.ImportBusybox(ctx, cli, ref, h.busybox, changes...); err != nil {
			return err
		}
	}
	return nil
}

// startServer starts the server, two jobs at once, and waits until it answers.
func (h *harbour) startServer(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := l.Addr().String()
	_ = l.Close()
	h.url = "http://" + addr
	h.server = exec.CommandContext(context.WithoutCancel(ctx), h.slipway, "server", "--max-jobs=2", "--grace=1s", "--job-networks=10.176.0.0/16")
	h.server.Env = append(os.Environ(), "SLIPWAY_ADDR="+addr, "SLIPWAY_URL="+h.url, "SLIPWAY_DATA="+h.data(), "SLIPWAY_GITHUB_URL="+h.github.URL(),
		"SLIPWAY_GITHUB_TOKEN="+githubToken, "SLIPWAY_WEBHOOK_SECRET="+webhookSecret, "SLIPWAY_ADMIN_TOKEN="+adminToken, "SLIPWAY_LOG_LEVEL=warn")
	h.server.Stdout, h.server.Stderr = h.log, h.log
	if err := h.server.Start(); err != nil {
		h.server = nil
		return fmt.Errorf("start the server: %w", err)
	}
	return h.await(ctx, "the server to be ready", func() error { return h.get(ctx, "/readyz", nil) })
}

func (h *harbour) data() string { return filepath.Join(h.dir, "data") }

// await tries until it succeeds. The last error tells why it did not.
func (h *harbour) await(ctx context.Context, what string, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, err)
		case <-time.After(often):
		}
	}
}

// get asks the API, as an admin, and decodes its JSON, or its text if into is a
// *string.
func (h *harbour) get(ctx context.Context, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+path, http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", path, resp.Status, body)
	}
	switch into := into.(type) {
	case nil:
		return nil
	case *string:
		*into = string(body)
		return nil
	default:
		return json.Unmarshal(body, into)
	}
}

// close stops everything and removes what it made.
func (h *harbour) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clean)
	defer cancel()
	var errs []error
	if h.server != nil {
		errs = append(errs, h.server.Process.Signal(syscall.SIGTERM), h.server.Wait(), h.removeContainers(ctx))
	}
	if h.github != nil {
		errs = append(errs, h.github.Close())
	}
	errs = append(errs, h.removeImages(ctx), os.RemoveAll(h.dir))
	return errors.Join(errs...)
}

// removeContainers removes what the builds that are under way left in the engine
// with the server's end.
func (h *harbour) removeContainers(ctx context.Context) error {
	st, err := store.Open(ctx, filepath.Join(h.data(), "slipway.db"), store.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	id, err := st.ServerID(ctx)
	if err != nil {
		return err
	}
	cli, err := docker.Dial(os.Getenv("DOCKER_HOST"))
	if err != nil {
		return err
	}
	defer func() { _ = cli.Close() }()
	engine := docker.New(cli, docker.Options{})
	left, err := engine.List(ctx, map[string]string{runner.LabelServer: id})
	if err != nil {
		return err
	}
	return runner.RemoveResources(ctx, engine, left)
}

func (h *harbour) removeImages(ctx context.Context) error {
	cli, err := docker.Dial(os.Getenv("DOCKER_HOST"))
	if err != nil {
		return err
	}
	defer func() { _ = cli.Close() }()
	var errs []error
	for _, ref := range h.made {
		if _, err := cli.ImageRemove(ctx, ref, image.RemoveOptions{}); err != nil {
			errs = append(errs, fmt.Errorf("remove image %s: %w", ref, err))
		}
	}
	return errors.Join(errs...)
}
