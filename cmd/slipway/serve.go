package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/docker"
	"github.com/slipway-ci/slipway/runner/source"
	"github.com/slipway-ci/slipway/server"
	"github.com/slipway-ci/slipway/server/digest"
	"github.com/slipway-ci/slipway/server/github"
	"github.com/slipway-ci/slipway/server/queue"
	"github.com/slipway-ci/slipway/server/status"
	"github.com/slipway-ci/slipway/store"
	"github.com/slipway-ci/slipway/store/logs"
	"github.com/slipway-ci/slipway/webui"
)

// app is the whole server, wired.
type app struct {
	log      *slog.Logger
	store    *store.Store
	github   *github.Client
	trigger  *server.Trigger
	queue    *queue.Queue
	pool     *docker.Pool
	outbox   *status.Outbox
	digester *digest.Digester
	http     *http.Server
	listener net.Listener
	done     chan struct{} // closed when streams are to end
	drain    bool          // wait for the jobs that run when told to stop
	// signals are those to stop: the first ends the context of run, each further
	// one makes it wait for jobs if it does not, and not if it does. nil: none come.
	signals <-chan os.Signal
	closers []func() error
}

const (
	startTimeout = 10 * time.Second // for Docker and GitHub to answer
	minFree      = 256 << 20        // bytes; below, /readyz fails
)

// openApp opens everything and listens. The caller runs it and closes it.
func openApp(ctx context.Context, c config, log *slog.Logger) (_ *app, err error) {
	a := &app{log: log, done: make(chan struct{})}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	unlock, err := lockData(c.Data)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, unlock)
	if a.store, err = store.Open(ctx, filepath.Join(c.Data, "slipway.db"), store.Options{}); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.store.Close)
	cli, engine, platform, err := a.openDocker(ctx, c)
	if err != nil {
		return nil, err
	}
	stepLogs, err := logs.Open(filepath.Join(c.Data, "logs"), logs.Options{MaxStored: int64(c.StepLog), Logger: log})
	if err != nil {
		return nil, fmt.Errorf("open logs: %w", err)
	}
	if a.github, err = github.New(github.Options{BaseURL: c.GitHubURL, Token: c.githubToken,
		UserAgent: "slipway/" + version, Logger: log}); err != nil {
		return nil, err
	}
	mirrors, err := openMirrors(c, log)
	if err != nil {
		return nil, err
	}
	disk, err := watchedDisk(ctx, c, cli, engine, mirrors)
	if err != nil {
		return nil, err
	}
	serverID, err := a.store.ServerID(ctx)
	if err != nil {
		return nil, err
	}
	a.pool = docker.NewPool(engine, docker.PoolOptions{Server: serverID, Size: c.Pool, Logger: log})
	a.trigger = server.NewTrigger(server.TriggerOptions{Store: a.store, Mirrors: mirrors, Remote: a.remote,
		GitHubURL: a.github.WebURL(), Platform: platform, PrivilegedImages: c.PrivilegedImages, Logger: log, URL: c.URL, Version: version, RetryBase: c.retryBase})
	a.queue = queue.New(queue.Options{Store: a.store, Logs: stepLogs, Engine: engine, Mirrors: mirrors, Remote: a.remote,
		Logger: log, ServerID: serverID, MaxJobs: c.MaxJobs, MaxSteps: c.MaxSteps, Timeout: c.JobTimeout, Grace: c.Grace,
		MaxOutput: int64(c.StepOutput), Secrets: c.secrets(), Login: c.logins.Login,
		Limits:    runner.Limits{MemoryBytes: int64(c.StepMemory), CPUs: c.StepCPUs, PIDs: c.StepPIDs, OpenFiles: c.StepFiles, CoreBytes: int64(c.StepCore)},
		Isolation: runner.Isolation{Runtime: c.Runtime, UserNS: c.UserNS}, Disk: disk})
	a.outbox = status.New(status.Options{Store: a.store, GitHub: a.github, Logger: log, URL: c.URL, RetryBase: c.retryBase})
	a.digester = digest.New(digest.Options{Store: a.store, Logs: stepLogs, Mirrors: mirrors, Logger: log})
	if err := a.openHTTP(c, stepLogs, engine, disk); err != nil {
		return nil, err
	}
	return a, nil
}

// openDocker connects to the engine and asks what platform its containers run
// on, "linux/amd64".
func (a *app) openDocker(ctx context.Context, c config) (_ *client.Client, _ *docker.Engine, platform string, err error) {
	cli, err := docker.Dial(c.DockerHost)
	if err != nil {
		return nil, nil, "", err
	}
	a.closers = append(a.closers, cli.Close)
	engine := docker.New(cli, docker.Options{Logger: a.log, Subnets: c.networks, SandboxBinary: c.SandboxBinary, SandboxDNS: c.BuildDNS, Grants: a.store})
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := engine.Ping(ctx); err != nil {
		return nil, nil, "", err
	}
	if isLocal(cli) && len(c.BuildDNS) == 0 {
		warnOfResolvers(a.log)
	}
	v, err := cli.ServerVersion(ctx)
	if err != nil {
		return nil, nil, "", fmt.Errorf("ask the Docker engine for its version: %w", err)
	}
	return cli, engine, v.Os + "/" + v.Arch, nil
}

// warnOfResolvers tells of name servers that builds cannot reach. That they
// cannot be found out is no matter here.
func warnOfResolvers(log *slog.Logger) {
	servers, err := docker.Resolvers()
	if err != nil {
		return
	}
	if blocked := docker.Unreachable(servers); len(blocked) > 0 {
		log.Warn("builds cannot reach the engine's name servers; set SLIPWAY_BUILD_DNS to others", "servers", join(blocked))
	}
}

// remote says where a repository's source is. It is asked for each time, since
// credentials may be short-lived. An address without TLS is allowed where the
// operator configured GitHub without TLS.
func (a *app) remote(ctx context.Context, r store.Repo) (source.Remote, error) {
	user, password, err := a.github.Credentials(ctx, r.Owner, r.Name)
	return source.Remote{URL: r.CloneURL, Username: user, Password: password,
		AllowHTTP: strings.HasPrefix(a.github.WebURL(), "http://")}, err
}

func openMirrors(c config, log *slog.Logger) (*source.Mirrors, error) {
	m, err := source.Open(filepath.Join(c.Data, "mirrors"), log)
	if err != nil {
		return nil, fmt.Errorf("open mirrors: %w", err)
	}
	return m, nil
}

func (a *app) openHTTP(c config, stepLogs *logs.Store, engine *docker.Engine, disk queue.Disk) error {
	ui, err := webui.New(webui.Options{Store: a.store, Logs: stepLogs, AdminToken: c.adminToken, PublicURL: c.URL,
		Version: version, Logger: a.log, Done: a.done})
	if err != nil {
		return fmt.Errorf("prepare pages: %w", err)
	}
	s := server.New(server.Options{Store: a.store, Logs: stepLogs, Logger: a.log, WebhookSecret: c.webhookSecret,
		AdminToken: c.adminToken, URL: c.URL, Version: version, Done: a.done, PageError: ui.HandleError,
		Checks: map[string]func(context.Context) error{
			"database": a.store.Ping,
			"docker":   engine.Ping,
			"disk":     func(context.Context) error { return checkDisk(c.Data, disk) },
		}})
	ui.Register(s.Echo())
	a.http = s.HTTPServer()
	a.listener, err = listen(c.Addr, c.networks)
	return err
}

// run serves until ctx ends. Then nothing is claimed any more, jobs that run and
// their verdicts are waited for or not, what is under way is given some time, and
// what runs in containers is left to the next process.
func (a *app) run(ctx context.Context) error {
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	claim, stopClaiming := context.WithCancel(work)
	defer stopClaiming()
	var wg sync.WaitGroup
	queueEnded := make(chan error, 1)
	wg.Go(func() { a.checkGitHub(work) })
	wg.Go(func() { a.trigger.Run(work) })
	wg.Go(func() { a.outbox.Run(work) })
	wg.Go(func() { a.pool.Run(work) })
	wg.Go(func() { a.digester.Run(work) })
	wg.Go(func() { giveBackMemory(work, a.store.Subscribe(), quiet, debug.FreeOSMemory) })
	wg.Go(func() { queueEnded <- a.queue.Run(claim, work) })

	served := make(chan error, 1)
	wg.Go(func() { served <- a.http.Serve(a.listener) })
	var err error
	select {
	case <-ctx.Done():
		stopClaiming()
		a.awaitJobs(queueEnded)
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	case err = <-queueEnded: // it could not start
		err = fmt.Errorf("run the queue: %w", err)
		queueEnded <- nil
	}
	close(a.done)
	stop(runner.ErrDetach)
	if !a.awaitRest(context.WithoutCancel(ctx), &wg) {
		return err
	}
	return errors.Join(err, <-queueEnded)
}

// checkGitHub tells the operator early what would otherwise be seen at the
// first build. It keeps nothing from starting: GitHub may be down.
func (a *app) checkGitHub(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	info, err := a.github.CheckToken(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		a.log.Warn("GitHub does not accept the token or cannot be reached; builds will wait or fail", "error", err)
	case err == nil:
		a.log.Info("connected to GitHub", "login", info.Login, "scopes", info.Scopes)
	}
}

// url is where the server listens, for this machine.
func (a *app) url() string { return "http://" + a.listener.Addr().String() }

// close closes what was opened, the last first.
func (a *app) close() {
	if a.listener != nil {
		_ = a.listener.Close() // closed already if it served
	}
	for i := len(a.closers) - 1; i >= 0; i-- {
		if err := a.closers[i](); err != nil && !errors.Is(err, os.ErrClosed) {
			a.log.Error("cannot close", "error", err)
		}
	}
}
