package docker

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/slipway-ci/slipway/runner"
)

// LoginFile is a file in the format of the docker command's config.json: auths,
// as "docker login" writes them, and credential helpers. It is read whenever a
// login is asked for, so that one that is renewed from outside is found.
type LoginFile struct {
	Path string
	// Optional: that there is no such file means that there are no logins.
	Optional bool
}

// loginFile is what is read of it.
type loginFile struct {
	Auths map[string]struct {
		Auth          string `json:"auth"` // base64 of "user:password"
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identitytoken"`
	} `json:"auths"`
	CredHelpers map[string]string `json:"credHelpers"`
	CredsStore  string            `json:"credsStore"`
}

// Login returns the login for a registry; it is a runner.LoginFunc. A credential
// helper goes before what is written in the file.
func (f LoginFile) Login(ctx context.Context, registry string) (runner.Login, error) {
	l, err := f.find(ctx, registry)
	if err != nil {
		return runner.Login{}, fmt.Errorf("read login for %s from %s: %w", registry, f.Path, err)
	}
	if !l.IsZero() {
		l.Holder = "server/" + registry + "/" + l.Username
	}
	return l, nil
}

// Check reports what is wrong with the file.
func (f LoginFile) Check() error {
	c, err := f.read()
	if err != nil {
		return fmt.Errorf("read logins from %s: %w", f.Path, err)
	}
	for registry := range c.Auths {
		if _, err := c.written(registry); err != nil {
			return fmt.Errorf("read logins from %s: %w", f.Path, err)
		}
	}
	return nil
}

// Passwords returns those that are written in the file, for logs not to show.
func (f LoginFile) Passwords() []string {
	c, err := f.read()
	if err != nil {
		return nil // Login tells of it
	}
	var out []string
	for registry, a := range c.Auths {
		l, _ := c.written(registry)
		for _, s := range []string{a.Auth, l.Password, l.IdentityToken} {
			if s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

func (f LoginFile) read() (loginFile, error) {
	var c loginFile
	b, err := os.ReadFile(f.Path)
	if f.Optional && errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(b, &c)
}

func (f LoginFile) find(ctx context.Context, registry string) (runner.Login, error) {
	c, err := f.read()
	if err != nil {
		return runner.Login{}, err
	}
	for _, key := range loginKeys(registry) {
		if helper := c.CredHelpers[key]; helper != "" {
			return askHelper(ctx, helper, key)
		}
	}
	for _, key := range loginKeys(registry) {
		if c.CredsStore != "" {
			if l, err := askHelper(ctx, c.CredsStore, key); err != nil || !l.IsZero() {
				return l, err
			}
		}
		if l, err := c.written(key); err != nil || !l.IsZero() {
			return l, err
		}
	}
	return runner.Login{}, nil
}

// loginKeys are the names under which a registry may be found.
func loginKeys(registry string) []string {
	if registry == hub {
		return []string{hubAddress, hub, "index.docker.io"}
	}
	return []string{registry, "https://" + registry, "http://" + registry, "https://" + registry + "/v2/", "https://" + registry + "/v1/"}
}

// written returns what the file itself has under a key.
func (c loginFile) written(key string) (runner.Login, error) {
	a := c.Auths[key]
	l := runner.Login{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken}
	if a.Auth == "" {
		return l, nil
	}
	b, err := base64.StdEncoding.DecodeString(a.Auth)
	user, password, ok := strings.Cut(strings.TrimRight(string(b), "\x00"), ":")
	if err != nil || !ok {
		return l, fmt.Errorf("auth of %s is no base64 of user:password; write it with docker login", key)
	}
	l.Username, l.Password = user, password
	return l, nil
}

// helperName is what may follow "docker-credential-".
var helperName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// helperTimeout bounds a helper, which may ask a cloud.
const helperTimeout = 30 * time.Second

// askHelper runs a credential helper: it is called "docker-credential-<name>",
// reads the server from its input and writes JSON. See
// github.com/docker/docker-credential-helpers, "Development".
func askHelper(ctx context.Context, name, server string) (runner.Login, error) {
	program := "docker-credential-" + name
	if !helperName.MatchString(name) {
		return runner.Login{}, fmt.Errorf("%q cannot be the name of a credential helper", name)
	}
	ctx, cancel := context.WithTimeout(ctx, helperTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "get")
	cmd.Stdin = strings.NewReader(server)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stdout.String() + " " + stderr.String())
		if strings.Contains(said, "credentials not found") { // the protocol's words
			return runner.Login{}, nil
		}
		return runner.Login{}, fmt.Errorf("run %s: %w: %s", program, err, said)
	}
	var answer struct{ Username, Secret string }
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
		return runner.Login{}, fmt.Errorf("read the answer of %s: it is no JSON", program) // and may be a secret
	}
	if answer.Username == "<token>" { // the protocol's mark of an identity token
		return runner.Login{IdentityToken: answer.Secret}, nil
	}
	return runner.Login{Username: answer.Username, Password: answer.Secret}, nil
}
