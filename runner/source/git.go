package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	maxStderr  = 16 << 10
	localLimit = 10 * time.Minute // of a git process that uses no network
	// killDelay bounds the wait for the pipes of a killed git, which a helper
	// that left the process group could hold open.
	killDelay = 2 * time.Second
)

// passedEnv names what git gets of this process's environment: how to find its
// programs, the way through a proxy, and the certificates to trust.
var passedEnv = []string{
	"PATH", "TMPDIR",
	"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
	"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
}

// baseEnv is the environment of every git. Nothing in it names a user's or the
// system's configuration; home is an empty directory.
func baseEnv(home string) []string {
	env := []string{
		"HOME=" + home,
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_NO_REPLACE_OBJECTS=1",
	}
	for _, name := range passedEnv {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	// Go reads SSL_CERT_FILE and git does not: one variable governs both.
	if file, ok := os.LookupEnv("SSL_CERT_FILE"); ok && os.Getenv("GIT_SSL_CAINFO") == "" {
		env = append(env, "GIT_SSL_CAINFO="+file)
	}
	return env
}

// A setting is one line of git configuration.
type setting struct{ key, value string }

// baseSettings hold for every git. Those of a fetch come on top.
var baseSettings = []setting{
	{"protocol.allow", "never"},
	{"protocol.https.allow", "always"},
	{"credential.helper", ""},
	{"core.hooksPath", "/dev/null"},
	{"core.attributesFile", "/dev/null"},
	{"core.excludesFile", "/dev/null"},
	{"core.fsmonitor", "false"},
	{"submodule.recurse", "false"},
	{"fetch.recurseSubmodules", "false"},
	// A redirected git sends its headers, the credential among them, to
	// wherever the redirect leads. Remote.resolve follows redirects instead.
	{"http.followRedirects", "false"},
	{"http.lowSpeedLimit", "1000"}, // bytes a second …
	{"http.lowSpeedTime", "60"},    // … for so many seconds is a stall
	{"gc.auto", "0"},               // Maintain does it, at a time of its own
	{"maintenance.auto", "false"},
}

// A gitCmd is one run of git.
type gitCmd struct {
	gitDir   string
	workTree string // empty: none
	env      []string
	settings []setting
	scrub    []string // secrets to remove from what git says
	limit    time.Duration
	args     []string
	stdin    io.Reader
	// converse, if not nil, talks to the running process. The process is killed
	// when it fails.
	converse func(in io.Writer, out io.Reader) error
	// network: git starts helpers that may hang on a connection.
	network bool
}

// environ returns the environment of the process. Settings are handed over in
// it and not as arguments, which other users of the machine can read.
func (g *gitCmd) environ(base []string) []string {
	env := slices.Concat(base, g.env, []string{"GIT_DIR=" + g.gitDir})
	if g.workTree != "" {
		env = append(env, "GIT_WORK_TREE="+g.workTree)
	}
	all := slices.Concat(baseSettings, g.settings)
	env = append(env, "GIT_CONFIG_COUNT="+strconv.Itoa(len(all)))
	for i, s := range all {
		n := strconv.Itoa(i)
		env = append(env, "GIT_CONFIG_KEY_"+n+"="+s.key, "GIT_CONFIG_VALUE_"+n+"="+s.value)
	}
	return env
}

// git runs g to its end and returns what it wrote, at most maxOut bytes: more
// is an error. When ctx ends, git and all that it started are killed.
func (m *Mirrors) git(ctx context.Context, g gitCmd, maxOut int) ([]byte, error) {
	if g.limit == 0 {
		g.limit = localLimit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, g.limit, fmt.Errorf("no end after %s", g.limit))
	defer cancel()
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	stdout := &boundedBuffer{max: maxOut, full: func() { kill(errTooMuch) }}
	stderr := &boundedBuffer{max: maxStderr}

	cmd := exec.CommandContext(ctx, "git", g.args...)
	cmd.Env = g.environ(m.env)
	cmd.Dir = g.gitDir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = g.stdin, stdout, stderr
	cmd.SysProcAttr = procAttr()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killDelay

	err := g.wait(cmd, kill)
	if err == nil && !stdout.overflowed {
		return stdout.kept.Bytes(), nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return nil, &gitError{command: g.args[0], stderr: scrub(stderr.kept.String(), g.scrub), err: err}
}

var errTooMuch = errors.New("too much output")

// wait starts cmd and waits for its end. It stays on one thread, which must
// outlive the process for the sake of procAttr.
func (g *gitCmd) wait(cmd *exec.Cmd, kill context.CancelCauseFunc) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if g.converse != nil {
		return g.waitConversing(cmd, kill)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if g.network {
		release, err := guard(cmd.Process.Pid)
		if err != nil {
			kill(err)
		} else {
			defer release()
		}
	}
	return cmd.Wait()
}

func (g *gitCmd) waitConversing(cmd *exec.Cmd, kill context.CancelCauseFunc) error {
	cmd.Stdout = nil
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = g.converse(in, out)
	if err != nil {
		kill(err)
	}
	_ = in.Close() // git may be gone already
	if werr := cmd.Wait(); err == nil {
		err = werr
	}
	return err
}

// scrub removes secrets from text that git wrote.
func scrub(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "********")
		}
	}
	return strings.TrimSpace(text)
}

// A boundedBuffer keeps the first max bytes. It calls full, if it has one, when
// there are more, and takes the rest without keeping it.
type boundedBuffer struct {
	kept       bytes.Buffer // not embedded: its ReadFrom would know no bound
	max        int
	full       func()
	overflowed bool
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	keep := min(len(p), b.max-b.kept.Len())
	b.kept.Write(p[:keep])
	if keep < len(p) && !b.overflowed {
		b.overflowed = true
		if b.full != nil {
			b.full()
		}
	}
	return len(p), nil
}
