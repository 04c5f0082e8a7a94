package runner

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// Errors that an Engine wraps, to be told apart with errors.Is.
var (
	// ErrNotFound: the container, network or volume does not exist.
	ErrNotFound = errors.New("not found")
	// ErrImage: the image cannot be had. The message is for the user: it names
	// the image and the registry's words.
	ErrImage = errors.New("image")
	// ErrConflict: the name is taken by something that is not ours.
	ErrConflict = errors.New("name taken")
	// ErrStart: the container cannot be started as its image and step want, such
	// as with a shell that the image does not have. The message is for the user.
	ErrStart = errors.New("start")
	// ErrNoProbe: the engine cannot tell whether a port is listened on.
	ErrNoProbe = errors.New("cannot tell")
)

// An Engine makes and runs containers. Every method may be called concurrently.
//
// Create methods are idempotent: called again with the same name they return
// the ID of what exists, provided it carries the same labels, else ErrConflict.
// Stop and Remove methods are idempotent: what is gone already is no error.
// An error that is none of the above is the infrastructure's, not the user's. It
// says what was tried on what, such as "create network slipway-1", since its
// callers add nothing to it.
type Engine interface {
	// Ping reports whether the engine answers.
	Ping(ctx context.Context) error

	// PullImage makes the image present as its policy says. Progress goes to
	// progress as lines of text, at most a few a second. An image that is present
	// because someone else had a login for it is ErrImage to who may not have it.
	PullImage(ctx context.Context, s ImageSpec, progress io.Writer) error

	CreateNetwork(ctx context.Context, s NetworkSpec) (id string, err error)
	// CreateSandbox returns when the sandbox runs and its routes stand. Called
	// again it also brings up one that has died, whose containers died with it.
	// It is removed by RemoveContainer.
	CreateSandbox(ctx context.Context, s SandboxSpec) (id string, err error)
	CreateVolume(ctx context.Context, s VolumeSpec) (id string, err error)
	CreateContainer(ctx context.Context, s ContainerSpec) (id string, err error)

	// FillVolume extracts a tar stream in a volume, whoever has it mounted. It
	// reads r to its end or fails. It can be called again after a failure.
	FillVolume(ctx context.Context, s FillSpec, r io.Reader) error

	// Attach opens the output of a container from its first byte; it is called
	// before Start. The streams end when the container does.
	Attach(ctx context.Context, containerID string) (Output, error)

	// Start starts a created container; one that runs already is no error.
	Start(ctx context.Context, containerID string) error

	// Open writes a line, without its newline, to the stdin of a container that
	// was made with a Gate and runs. That stdin ends with the container and not
	// with any caller: what waits for a line goes on only when Open was called,
	// and calling it again writes a further line. Whether somebody reads it, the
	// engine does not tell. It returns soon for a container that has ended, with or
	// without an error.
	Open(ctx context.Context, containerID, line string) error

	// Logs reads the output from its first byte out of the engine's own record,
	// of a container that was started at any time. With follow it goes on until
	// the container ends, but may then lack the last lines; without it returns
	// what there is, and all there is once the container has ended.
	Logs(ctx context.Context, containerID string, follow bool) (Output, error)

	// Inspect returns the state of a container; ErrNotFound if there is none.
	Inspect(ctx context.Context, containerID string) (ContainerState, error)

	// Wait returns when the container has ended. An engine that goes away
	// meanwhile is an error.
	Wait(ctx context.Context, containerID string) (ContainerState, error)

	// Ending tells what is not in the state of a container that has ended and was
	// not stopped through this Engine. It may take some seconds.
	Ending(ctx context.Context, containerID string) (Ending, error)

	// Stop sends SIGTERM, after grace SIGKILL, and returns when the container
	// has ended. Grace 0 kills at once.
	Stop(ctx context.Context, containerID string, grace time.Duration) error

	// Exec runs a command in a container that runs, as its user and with its
	// environment. A command that cannot be run, such as one that the image does
	// not have, is an exit code of 126 or 127 and no error. When ctx ends before
	// the command does, that may run on until the container ends.
	Exec(ctx context.Context, containerID string, command []string) (ExecResult, error)

	// Listening reports whether others would be answered who connect to a TCP
	// port of a container that runs. It does not connect if it can be helped,
	// since services complain about that. ErrNoProbe means that it cannot tell.
	Listening(ctx context.Context, containerID string, port int) (bool, error)

	// Usage returns what a container that runs has used so far. It may take a
	// second. Of one that has ended nothing is known, which is an error.
	Usage(ctx context.Context, containerID string) (Usage, error)

	// DiskUsage returns what the containers and volumes take that carry all the
	// given labels. It is slow: seconds, where there is much.
	DiskUsage(ctx context.Context, labels map[string]string) ([]ResourceSize, error)

	RemoveContainer(ctx context.Context, id string) error // kills it if it runs
	RemoveNetwork(ctx context.Context, id string) error
	RemoveVolume(ctx context.Context, id string) error

	// List returns everything that carries all the given labels.
	List(ctx context.Context, labels map[string]string) ([]Resource, error)
}

// Output is a container's output. Copy writes each stream's bytes to its writer
// as they come and returns when the streams end, the context does or a writer
// fails. Close releases it and may be called at any time; Copy then returns.
type Output interface {
	Copy(stdout, stderr io.Writer) error
	Close() error
}

// Timed is a writer that wants to know when what it is given was written. Copy
// tells it of output that an engine's record has with times: before a Write,
// where the time is another one than before, to the millisecond. The time is that
// of the engine's clock.
type Timed interface {
	At(t time.Time)
}

// ResourceKind is a kind of thing an Engine makes.
type ResourceKind string

const (
	ResourceContainer ResourceKind = "container"
	ResourceNetwork   ResourceKind = "network"
	ResourceVolume    ResourceKind = "volume"
)

// A Resource is something that List found.
type Resource struct {
	Kind   ResourceKind
	ID     string
	Name   string
	Labels map[string]string
}

// ResourceSize is a resource with the space that it takes on the disk.
type ResourceSize struct {
	Resource
	Bytes int64
}

// Labels on everything slipway makes. Cleaning up touches only what carries the
// own server's ID.
const (
	LabelServer = "slipway.server" // the server's ID
	LabelJob    = "slipway.job"    // the job's ID
	LabelStep   = "slipway.step"   // the step's number
	LabelRepo   = "slipway.repo"   // "owner/name", for people
	LabelBuild  = "slipway.build"  // the build's number, for people
)

// NetworkSpec describes a job's network. The network is known by the ID that
// creating it returns: one that stood ready has another name.
type NetworkSpec struct {
	Name   string
	Labels map[string]string
	// Sandbox is the name of a sandbox that will be created on the network, with
	// nothing but its labels. The engine may have one ready together with a
	// network, and then gives it that name. Empty: there will be none of the kind.
	Sandbox string
	// Sandboxes is how many of the kind will be wanted at once, a hint for an
	// engine that has some ready.
	Sandboxes int
}

// SandboxSpec describes a sandbox: a container that only holds the network
// namespace that others join, with what belongs to that rather than to them.
// From within it the metadata services of clouds and other jobs' networks are
// unreachable, and what joins it cannot change that without CAP_NET_ADMIN.
type SandboxSpec struct {
	Name       string
	Labels     map[string]string
	NetworkID  string
	Aliases    []string // names under which others on the network reach it
	DNS        []string // IP addresses; nil: the engine's
	DNSSearch  []string
	ExtraHosts []string // "host:address"
	// Metadata leaves the metadata services of clouds reachable.
	Metadata bool
}

// VolumeSpec describes a job's volume.
type VolumeSpec struct {
	Name   string
	Labels map[string]string
	// Memory: it is kept in RAM, and empty again when no container that runs has
	// it.
	Memory bool
}

// FillSpec says which volume is to be filled. Name and Labels are for what the
// engine may need for it, which stays until what has the labels is removed.
type FillSpec struct {
	Name     string
	Labels   map[string]string
	VolumeID string
}

// ContainerSpec describes a container. What it does not name is the engine's
// hardening: no-new-privileges, dropped capabilities, an init process, a pids
// limit and a log that keeps everything. It may have secrets in Env and is
// never logged whole: printed, it is its name and image.
type ContainerSpec struct {
	Name       string
	Labels     map[string]string
	Image      string
	Entrypoint []string // nil: the image's
	Cmd        []string // nil: the image's
	Env        []string // "KEY=value", sorted
	WorkingDir string   // empty: the image's
	Sandbox    string   // name or ID of that whose network it shares, names and DNS included
	NetworkID  string   // or the network's ID or name; either is made before the container is started
	Aliases    []string // names under which others on the network reach it
	VolumeID   string   // mounted without copying the image's files into it
	MountPath  string   // where VolumeID is mounted; absolute
	Limits     Limits
	Isolation  Isolation // a Runtime that the engine does not have is ErrStart

	User string // as in pipeline.Step; empty: the image's
	// Privileged gives it the machine: all capabilities and devices. Limits, the
	// init process and the log stay.
	Privileged bool
	// Mounts are further folders. A Source is a path of the machine, which is
	// made if it is not there, or the name of a volume, which the engine makes
	// and nobody removes unless it was made before.
	Mounts     []pipeline.Mount
	Devices    []pipeline.Device
	Tmpfs      map[string]string // absolute path → mount options
	DNS        []string          // IP addresses; nil: the engine's
	DNSSearch  []string
	ExtraHosts []string // "host:address"
	// NetworkMode, unless empty, is a network in place of Sandbox and NetworkID: "none",
	// "host", "bridge" or a network's name.
	NetworkMode string
	ShmSize     int64 // bytes of /dev/shm; 0: the engine's default

	// Gate gives it a stdin that Open writes to; without it stdin is at its end.
	Gate bool
}

// String names the container without what may be secret.
func (s ContainerSpec) String() string { return s.Name + " of " + s.Image }

// GoString is String.
func (s ContainerSpec) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s ContainerSpec) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Limits bound a container; 0 means the engine's default, except where said.
type Limits struct {
	MemoryBytes int64   // RAM, and the same again for RAM and swap together
	CPUs        float64 // cores
	PIDs        int64   // processes and threads; 0 means 4096
	OpenFiles   int64   // of each process
	CoreBytes   int64   // of a core dump; 0 means none
}

// ContainerState is what Inspect and Wait tell.
type ContainerState struct {
	ID         string
	Running    bool
	Started    bool // it has been started at some time
	ExitCode   int  // valid when Started and not Running
	OOMKilled  bool // some process of it was killed for lack of memory
	StartedAt  time.Time
	FinishedAt time.Time
	// ExposedPort is the lowest TCP port that the image says it listens on; 0 if
	// there is none.
	ExposedPort int
}

// Ending is how a container came to its end.
type Ending struct {
	// Interrupted tells why it was ended from outside, such as by a restart of the
	// engine itself: a sentence for people, "" if it ended by itself or that cannot
	// be told. The exit code then says nothing of what it ran.
	Interrupted string
	// OOMKilled: some process of it was killed for lack of memory, which engines
	// may hear of after the end that came of it.
	OOMKilled bool
}

// ExecResult is what Exec tells of a command that has ended.
type ExecResult struct {
	ExitCode int
	Output   string // the last KiB of both streams, as they came
}
