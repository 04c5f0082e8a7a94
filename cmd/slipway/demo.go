package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/server/github/githubtest"
	"github.com/slipway-ci/slipway/store"
)

type demoCmd struct {
	Addr       string `default:"localhost:8080" help:"Address of the web page; another port is taken if this one is in use."`
	Once       bool   `help:"Exit with the verdict of the first build: 0 if it is green."`
	Image      string `default:"busybox" help:"Image that the sample's steps run in. If it can be neither found nor pulled, a local one is made of this machine's busybox."`
	DockerHost string `placeholder:"URL" env:"DOCKER_HOST" help:"Docker engine; empty for the local one."`
	sandboxFlags
	Verbose bool `short:"v" help:"Show the server's log too."`
}

// Help is shown below the flags.
func (demoCmd) Help() string {
	return `It starts a server and a stand-in for GitHub on this machine, pushes a sample
repository, and prints what happens: the push, the webhook, the queue, each step,
the status checks. Then it keeps serving, so that you can push commits of your
own, until Ctrl-C; everything it made is removed.`
}

// demo is a demo under way.
type demo struct {
	demoCmd
	dir    string
	story  *story
	github *githubtest.Server
	app    *app
	page   string // URL of the web page
	image  demoImage
}

const (
	demoWait  = 5 * time.Minute  // for the first verdict
	demoClean = 30 * time.Second // for removing everything
)

// Run shows the main job.
func (c *demoCmd) Run(ctx context.Context, o output) (err error) {
	d := &demo{demoCmd: *c, story: newStory(o.out)}
	defer func() { err = errors.Join(err, d.clean(context.WithoutCancel(ctx))) }()
	if err := d.prepare(ctx, o.err); err != nil {
		return err
	}
	served, stop := d.serve(ctx)
	defer stop()
	defer d.story.tell(ctx, d.app.store, d.github)()

	state, err := d.firstBuild(ctx)
	if ctx.Err() != nil {
		return nil // Ctrl-C
	}
	if err != nil {
		return err
	}
	if d.Once {
		if state != "success" {
			return exitCode(1)
		}
		return nil
	}
	d.story.invite(d.page, d.repo())
	select {
	case <-ctx.Done():
		d.story.say("removing what the demo made")
		return nil
	case err := <-served:
		return err
	}
}

// prepare starts the stand-in GitHub and opens the server.
func (d *demo) prepare(ctx context.Context, stderr io.Writer) (err error) {
	if d.dir, err = os.MkdirTemp("", "slipway-demo-"); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if d.Verbose {
		log = newLogger(stderr, slog.LevelDebug)
	}
	if d.image, err = findDemoImage(ctx, d.DockerHost, d.Image, d.story); err != nil {
		return err
	}
	token, secret, admin := randomHex(), randomHex(), randomHex()
	if d.github, err = githubtest.New(githubtest.Options{Token: token, WebhookSecret: secret, AnonymousPush: true, Logger: log}); err != nil {
		return err
	}
	if err := d.github.Start("127.0.0.1:0"); err != nil {
		return err
	}
	addr, err := d.freeAddr(ctx)
	if err != nil {
		return err
	}
	conf := config{
		Addr: addr, URL: "http://" + addr, Data: filepath.Join(d.dir, "data"), GitHubURL: d.github.URL(), DockerHost: d.DockerHost, sandboxFlags: d.sandboxFlags,
		MaxJobs: 2, MaxSteps: 8, JobTimeout: 10 * time.Minute, Grace: 2 * time.Second, StepMemory: 512 << 20, StepPIDs: 512,
		StepOutput: 1 << 30, StepLog: 64 << 20, JobNetworks: "10.172.0.0/16", Pool: 2,
		githubToken: token, webhookSecret: secret, adminToken: admin,
	}
	if err := conf.validate(); err != nil {
		return err
	}
	if d.app, err = openApp(ctx, conf, log); err != nil {
		return err
	}
	d.page = conf.URL
	d.story.opening(d.page, d.github.URL(), admin)
	return nil
}

// freeAddr returns Addr, or the same host with a free port if it is in use.
func (d *demo) freeAddr(ctx context.Context) (string, error) {
	host, _, err := net.SplitHostPort(d.Addr)
	if err != nil {
		return "", fmt.Errorf("--addr: %w", err)
	}
	var lc net.ListenConfig
	for _, addr := range []string{d.Addr, net.JoinHostPort(host, "0")} {
		l, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			d.story.say("%s is in use, so the page is on another port", addr)
			continue
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return net.JoinHostPort(host, port), l.Close()
	}
	return "", fmt.Errorf("no free port on %s", host)
}

// serve runs the server until stop, which waits for its end.
func (d *demo) serve(ctx context.Context) (served <-chan error, stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	ended := make(chan struct{})
	go func() { defer close(ended); done <- d.app.run(ctx) }()
	return done, func() { cancel(); <-ended }
}

// firstBuild pushes the sample and waits for its verdict on the stand-in.
func (d *demo) firstBuild(ctx context.Context) (state string, err error) {
	repo, err := d.github.AddRepo(ctx, "acme", "hello", githubtest.RepoOptions{})
	if err != nil {
		return "", err
	}
	if err := d.github.AddWebhook(d.app.url() + "/webhook"); err != nil {
		return "", err
	}
	sha, err := pushSample(ctx, filepath.Join(d.dir, "work"), repo.CloneURL(), d.image.ref, d.story)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, demoWait)
	defer cancel()
	st, err := repo.WaitStatus(ctx, sha, "slipway", func(s githubtest.Status) bool { return s.State != "pending" })
	if err != nil {
		return "", err
	}
	d.story.verdict(sha, st)
	return st.State, nil
}

func (d *demo) repo() *githubtest.Repo { return d.github.Repo("acme", "hello") }

// clean removes all that the demo made.
func (d *demo) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoClean)
	defer cancel()
	var errs []error
	if d.app != nil {
		errs = append(errs, removeAll(ctx, d.DockerHost, d.app.store))
		d.app.close()
	}
	if d.github != nil {
		errs = append(errs, d.github.Close())
	}
	errs = append(errs, d.image.remove(ctx, d.DockerHost))
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	return errors.Join(errs...)
}

// removeAll removes what builds that were cut off left in the engine.
func removeAll(ctx context.Context, host string, st *store.Store) error {
	id, err := st.ServerID(ctx)
	if err != nil {
		return err
	}
	cli, err := docker.Dial(host)
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

func randomHex() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}
