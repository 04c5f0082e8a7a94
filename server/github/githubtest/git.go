package githubtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// git runs the git binary, apart from the configuration of the machine and of
// whoever is at it.
type git struct {
	dir     string // everything on disk stands below it
	backend string // path of git http-backend
	env     []string
	// separator stands between the fields of what `git log` is asked to print:
	// random, since a commit message may hold anything.
	separator string
}

// config is all the configuration that git gets. What it allows is what GitHub
// allows: to fetch any commit by its SHA, and to push anything but refs/pull.
const config = `[core]
	hooksPath = %q
	quotePath = false
	fsync = none
[init]
	defaultBranch = main
[http]
	receivepack = true
	getanyfile = false
[receive]
	hideRefs = refs/pull
	autogc = false
[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
[gc]
	auto = 0
[safe]
	directory = *
`

// pushedVar names the variable that tells the hook where to write what was
// pushed, as "before after ref" lines.
const pushedVar = "GITHUBTEST_PUSHED"

const postReceive = "#!/bin/sh\ncat >\"$" + pushedVar + "\"\n"

func newGit(dir string) (*git, error) {
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("find git's programs: %w", err)
	}
	g := &git{
		dir:       dir,
		backend:   filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		separator: rand.Text(),
	}
	if _, err := os.Stat(g.backend); err != nil {
		return nil, fmt.Errorf("find git http-backend: %w", err)
	}
	configFile, hooks := filepath.Join(dir, "gitconfig"), filepath.Join(dir, "hooks")
	if err := os.Mkdir(hooks, 0o755); err != nil {
		return nil, fmt.Errorf("make directory for hooks: %w", err)
	}
	if err := os.WriteFile(filepath.Join(hooks, "post-receive"), []byte(postReceive), 0o755); err != nil {
		return nil, fmt.Errorf("write hook: %w", err)
	}
	if err := os.WriteFile(configFile, fmt.Appendf(nil, config, hooks), 0o644); err != nil {
		return nil, fmt.Errorf("write git's configuration: %w", err)
	}
	g.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + configFile, "GIT_TERMINAL_PROMPT=0",
	}
	return g, nil
}

// run runs git in a bare repository and returns its output without the last
// newline.
func (g *git) run(ctx context.Context, repo string, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"--git-dir=" + repo}, args...)...)
	cmd.Env, cmd.Dir, cmd.Stdin = g.env, g.dir, stdin
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSuffix(stdout.String(), "\n"), nil
}
