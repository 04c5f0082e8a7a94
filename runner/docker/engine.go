package docker

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/client"

	"github.com/slipway-ci/slipway/runner"
)

// Options are what may differ between engines. The zero value is useful.
type Options struct {
	// Logger hears of retries; nil means silence.
	Logger *slog.Logger
	// Subnets is the IPv4 range out of which every network takes a part of
	// SubnetBits bits, since the engine's own pools end at about 30 networks.
	// It must not be in use around the engine. Zero means 10.173.0.0/16 and 24:
	// 256 networks.
	Subnets    netip.Prefix
	SubnetBits int
	// NetworkOptions are given to the bridge driver, such as
	// "com.docker.network.driver.mtu".
	NetworkOptions map[string]string
	// Limits apply where a ContainerSpec has none.
	Limits runner.Limits
	// SandboxBinary is the program of sandboxes: a slipway that is linked
	// statically, for the engine's platform. Empty means the running one.
	SandboxBinary string
	// SandboxDNS are the name servers of sandboxes that name none of their own;
	// nil means the engine's.
	SandboxDNS []string
	// PullStall ends a pull of which nothing has been heard for so long; 0
	// means 2 minutes.
	PullStall time.Duration
	// Grants keep an image that one repository had a login for from another that
	// has none. nil: whoever uses the engine may have every image on it.
	Grants Grants
}

// Engine is a runner.Engine on the Docker API.
type Engine struct {
	cli     client.APIClient
	log     *slog.Logger
	o       Options
	subnets *subnets
	names   keyedLock // names of networks, which old engines do not keep unique, and of sandboxes
	image   sandboxImage
	pool    *Pool // nil if there is none; set by NewPool
	pulls   sharedPulls
	pause   time.Duration // before the second attempt of a pull; doubles
	// runnable remembers image ID and path of executables that were seen.
	runnable sync.Map
	// stampless: the engine does not tell the times of output as it should.
	stampless atomic.Bool
}

var _ runner.Engine = (*Engine)(nil)

// New returns an Engine on cli, which stays the caller's to close.
func New(cli client.APIClient, o Options) *Engine {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if !o.Subnets.IsValid() {
		o.Subnets = netip.MustParsePrefix("10.173.0.0/16")
	}
	if o.SubnetBits == 0 {
		o.SubnetBits = max(24, o.Subnets.Bits())
	}
	if o.PullStall == 0 {
		o.PullStall = 2 * time.Minute
	}
	return &Engine{cli: cli, log: o.Logger, o: o, subnets: newSubnets(o.Subnets, o.SubnetBits), pause: pullPause}
}

// Ping implements runner.Engine. Its error says what an operator can do.
func (e *Engine) Ping(ctx context.Context) error { return Ping(ctx, e.cli) }
