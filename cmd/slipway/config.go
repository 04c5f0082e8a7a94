package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner/docker"
)

// config is all that the server is configured by. This file is the only reader
// of flags and environment. Secrets have no flag for their value, since other
// users of the machine can read a process's arguments.
type config struct {
	Addr string `group:"Server" default:":8080" env:"SLIPWAY_ADDR" help:"Address to listen on."`
	URL  string `group:"Server" default:"http://localhost:8080" env:"SLIPWAY_URL" help:"Public URL of this server: where GitHub and browsers reach it, and what status checks link to."`
	Data string `group:"Server" default:"/var/lib/slipway" env:"SLIPWAY_DATA" type:"path" help:"Data directory: database, logs, mirrors. One server uses it at a time."`

	GitHubURL         string `group:"GitHub and secrets" name:"github-url" placeholder:"URL" env:"SLIPWAY_GITHUB_URL" help:"GitHub Enterprise Server's URL; empty for github.com."`
	GitHubTokenFile   string `group:"GitHub and secrets" name:"github-token-file" env:"SLIPWAY_GITHUB_TOKEN_FILE" type:"path" placeholder:"FILE" help:"File with the GitHub token (or the token itself in $$SLIPWAY_GITHUB_TOKEN). It needs to read contents and write commit statuses."`
	WebhookSecretFile string `group:"GitHub and secrets" env:"SLIPWAY_WEBHOOK_SECRET_FILE" type:"path" placeholder:"FILE" help:"File with the webhook secret (or $$SLIPWAY_WEBHOOK_SECRET)."`
	AdminTokenFile    string `group:"GitHub and secrets" env:"SLIPWAY_ADMIN_TOKEN_FILE" type:"path" placeholder:"FILE" help:"File with the admin token (or $$SLIPWAY_ADMIN_TOKEN): it opens private repositories, cancel, restart and approve. Without one nobody can do that."`

	MaxJobs    int           `group:"Jobs" placeholder:"N" env:"SLIPWAY_MAX_JOBS" help:"Jobs at once (default: the number of CPUs)."`
	MaxSteps   int           `group:"Jobs" default:"8" env:"SLIPWAY_MAX_STEPS" help:"Steps of one job at once."`
	JobTimeout time.Duration `group:"Jobs" default:"1h" env:"SLIPWAY_JOB_TIMEOUT" help:"A job that takes longer fails."`
	Drain      bool          `group:"Jobs" env:"SLIPWAY_DRAIN" help:"At SIGTERM wait for the jobs that run, instead of leaving their containers to the next start. A second signal changes that."`
	Grace      time.Duration `group:"Jobs" default:"10s" env:"SLIPWAY_GRACE" help:"Time between SIGTERM and SIGKILL for a step that is stopped."`

	StepMemory  bytesFlag `group:"Limits of each container" default:"4GiB" env:"SLIPWAY_STEP_MEMORY" help:"Memory of each container, without swap; 0 for no limit."`
	StepCPUs    float64   `group:"Limits of each container" name:"step-cpus" default:"0" env:"SLIPWAY_STEP_CPUS" help:"CPUs of each container; 0 for no limit."`
	StepPIDs    int64     `group:"Limits of each container" name:"step-pids" default:"4096" env:"SLIPWAY_STEP_PIDS" help:"Processes and threads of each container."`
	StepFiles   int64     `group:"Limits of each container" default:"0" env:"SLIPWAY_STEP_FILES" help:"Open files of each process in a container; 0 for the Docker engine's default."`
	StepCore    bytesFlag `group:"Limits of each container" default:"0" env:"SLIPWAY_STEP_CORE" help:"Size of a core dump; 0 for none."`
	StepOutput  bytesFlag `group:"Limits of each container" default:"2GiB" env:"SLIPWAY_STEP_OUTPUT" help:"A step that writes more is stopped."`
	StepLog     bytesFlag `group:"Limits of each container" default:"512MiB" env:"SLIPWAY_STEP_LOG" help:"What is kept of a step's output; the rest is cut, visibly."`
	JobNetworks string    `group:"Jobs" default:"10.173.0.0/16" env:"SLIPWAY_JOB_NETWORKS" help:"IPv4 range for the networks of jobs, a /24 each. It must be free on this machine."`

	Runtime string `group:"Containers and images" env:"SLIPWAY_RUNTIME" placeholder:"NAME" help:"What runs containers, by the Docker engine's name, such as runsc (gVisor); empty for its default. A repository's setting goes first."`
	UserNS  string `group:"Containers and images" name:"userns" default:"" enum:",host" placeholder:"host" env:"SLIPWAY_USERNS" help:"host: containers have the machine's users, also where the Docker engine maps users (userns-remap). A repository's setting goes first."`

	DiskFloor bytesFlag `group:"Jobs" default:"2GiB" env:"SLIPWAY_DISK_FLOOR" help:"With less free space on the disks of the data directory and of Docker no job is started, and old mirrors and unused images of slipway's own are removed; with less than half of it the job that takes most is stopped. 0 for no watch."`

	Pool             int      `group:"Jobs" default:"-1" placeholder:"N" env:"SLIPWAY_POOL" help:"Job networks that stand ready, so that builds start sooner (default: as many as jobs at once, but at least 2); 0 for none."`
	PrivilegedImages []string `group:"Containers and images" env:"SLIPWAY_PRIVILEGED_IMAGES" placeholder:"IMAGE" help:"Plugin images that run privileged in repositories that an admin trusts with security."`

	RegistriesFile string `group:"Containers and images" env:"SLIPWAY_REGISTRIES_FILE" type:"path" placeholder:"FILE" help:"Logins for image registries that every repository may use, in the format of Docker's config.json with its credential helpers (default: the config.json that docker login writes). A repository's own go first."`

	DockerHost   string `group:"Containers and images" placeholder:"URL" env:"DOCKER_HOST" help:"Docker engine; empty for the local one."`
	sandboxFlags `group:"Containers and images"`
	LogLevel     string `group:"Server" default:"info" enum:"debug,info,warn,error" env:"SLIPWAY_LOG_LEVEL" help:"debug, info, warn or error."`

	// Secrets are read by readSecrets.
	githubToken   string
	webhookSecret string
	adminToken    string
	networks      netip.Prefix
	logins        docker.LoginFile
	retryBase     time.Duration // of retries against GitHub; 0 for the default; tests shorten it
}

// sandboxFlags configure what holds the network of steps, for all commands that
// run them.
type sandboxFlags struct {
	SandboxBinary string   `hidden:"" type:"path" env:"SLIPWAY_SANDBOX_BINARY" help:"Statically linked slipway for the engine's platform, which sandboxes run; empty for the running one."`
	BuildDNS      []string `name:"build-dns" env:"SLIPWAY_BUILD_DNS" placeholder:"IP" help:"Name servers for builds (default: the engine's). Needed where those are addresses that builds cannot reach, as in clouds whose resolver is 169.254.169.253."`
}

// check reads the secrets and returns everything that is missing or wrong, in
// one error, with what to do about it.
func (c *config) check() error {
	return errors.Join(
		secret(&c.webhookSecret, "SLIPWAY_WEBHOOK_SECRET", c.WebhookSecretFile),
		secret(&c.githubToken, "SLIPWAY_GITHUB_TOKEN", c.GitHubTokenFile),
		secret(&c.adminToken, "SLIPWAY_ADMIN_TOKEN", c.AdminTokenFile),
		c.validate())
}

// validate is check once the secrets are read.
func (c *config) validate() error {
	var errs []error
	if c.webhookSecret == "" {
		errs = append(errs, errors.New("no webhook secret: set SLIPWAY_WEBHOOK_SECRET to what stands in the webhook's settings on GitHub (make one: openssl rand -hex 32)"))
	}
	if c.githubToken == "" {
		errs = append(errs, errors.New("no GitHub credential: set SLIPWAY_GITHUB_TOKEN to a token that may read contents and write commit statuses"))
	}
	if c.MaxJobs == 0 {
		c.MaxJobs = runtime.NumCPU()
	}
	if c.StepPIDs < 0 || c.StepFiles < 0 || c.StepCPUs < 0 {
		errs = append(errs, errors.New("SLIPWAY_STEP_PIDS, SLIPWAY_STEP_FILES and SLIPWAY_STEP_CPUS must be at least 0"))
	}
	if c.MaxJobs < 0 || c.MaxSteps < 1 {
		errs = append(errs, errors.New("SLIPWAY_MAX_JOBS and SLIPWAY_MAX_STEPS must be at least 1"))
	}
	if c.Pool < 0 {
		c.Pool = max(2, c.MaxJobs)
	}
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		errs = append(errs, fmt.Errorf("SLIPWAY_URL is %q: it must be like https://ci.example.org", c.URL))
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	if c.networks, err = netip.ParsePrefix(c.JobNetworks); err != nil || !c.networks.Addr().Is4() || c.networks.Bits() > 24 {
		errs = append(errs, fmt.Errorf("SLIPWAY_JOB_NETWORKS is %q: it must be an IPv4 range of a /24 or more, like 10.173.0.0/16", c.JobNetworks))
	}
	for _, s := range c.BuildDNS {
		if _, err := netip.ParseAddr(s); err != nil {
			errs = append(errs, fmt.Errorf("SLIPWAY_BUILD_DNS names %q: it must be an IP address like 9.9.9.9", s))
		}
	}
	c.logins = loginFile(c.RegistriesFile)
	if err := c.logins.Check(); err != nil {
		errs = append(errs, fmt.Errorf("%w; mend the file, or set SLIPWAY_REGISTRIES_FILE to another", err))
	}
	return errors.Join(errs...)
}

// loginFile is the file with the logins for registries: the one that was named,
// or the one that the docker command writes, if there is one.
func loginFile(named string) docker.LoginFile {
	if named != "" {
		return docker.LoginFile{Path: named}
	}
	dir := os.Getenv("DOCKER_CONFIG")
	if home, err := os.UserHomeDir(); dir == "" && err == nil {
		dir = filepath.Join(home, ".docker")
	}
	return docker.LoginFile{Path: filepath.Join(dir, "config.json"), Optional: true}
}

// secret reads a secret from its variable or its file, but not from both.
func secret(to *string, variable, file string) error {
	value := os.Getenv(variable)
	switch {
	case file == "":
		*to = strings.TrimSpace(value)
		return nil
	case value != "":
		return fmt.Errorf("both %s and %s_FILE are set: unset one", variable, variable)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read %s_FILE: %w", variable, err)
	}
	*to = strings.TrimSpace(string(b))
	if *to == "" {
		return fmt.Errorf("%s_FILE names %s, which is empty", variable, file)
	}
	return nil
}

// secrets are the values that no log may show.
func (c *config) secrets() []string {
	var out []string
	for _, s := range []string{c.githubToken, c.webhookSecret, c.adminToken} {
		if s != "" {
			out = append(out, s)
		}
	}
	return append(out, c.logins.Passwords()...)
}

func (c *config) level() slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return l
}
