package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/docker/docker/client"
)

// Dial returns a client for the engine at host, such as
// "unix:///var/run/docker.sock" or "tcp://ci:2376"; empty means the platform's
// default socket. The API version is negotiated with the first request. TLS
// for tcp hosts follows DOCKER_CERT_PATH and DOCKER_TLS_VERIFY.
//
// It opens no connection: Engine.Ping tells whether an engine answers.
// The caller closes the client.
func Dial(host string) (*client.Client, error) {
	if host == "" {
		host = client.DefaultDockerHost
	}
	cli, err := client.NewClientWithOpts(
		client.WithTLSClientConfigFromEnv(),
		client.WithHost(host),
		client.WithAPIVersionNegotiation(),
	)
	if err != nil {
		return nil, fmt.Errorf("dial docker at %s: %w", host, err)
	}
	return cli, nil
}

// Ping reports whether the engine answers. Its error is for the operator: it
// says which address was tried and what to do.
func Ping(ctx context.Context, cli client.APIClient) error {
	_, err := cli.Ping(ctx)
	if err == nil {
		return nil
	}
	return fmt.Errorf("no Docker engine answers at %s: %w; %s", cli.DaemonHost(), err, remedy(cli.DaemonHost(), err))
}

// remedy says what an operator can do about an engine that does not answer.
func remedy(host string, err error) string {
	path, local := strings.CutPrefix(host, "unix://")
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "add this user to the socket's group (usually: usermod -aG docker USER) and log in again"
	case !local:
		return "check that the engine runs there and that DOCKER_HOST is right"
	case !exists(path):
		return "install and start Docker (Debian: apt-get install docker.io), or set DOCKER_HOST to where it listens"
	default:
		return "start Docker (systemctl start docker), or set DOCKER_HOST to where it listens"
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
