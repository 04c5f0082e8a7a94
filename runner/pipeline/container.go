package pipeline

import "time"

// RetryOn is a way of failing after which a step may be run again.
type RetryOn string

const (
	RetryFailure        RetryOn = "failure"        // its commands failed: an exit code other than 0
	RetryInfrastructure RetryOn = "infrastructure" // it could not be run: image, engine or server
	RetryTimeout        RetryOn = "timeout"        // it took longer than its timeout
)

// Retry says when a step that failed is run again. A step that was canceled
// never is.
type Retry struct {
	Attempts int       `json:"attempts"` // the most times it runs in all, from 2 to 10
	On       []RetryOn `json:"on"`       // never empty
}

// Resources bound what a container uses. 0 means what the server gives; the
// server's own limits are never exceeded.
type Resources struct {
	CPUs        float64 `json:"cpus,omitempty"`         // cores
	MemoryBytes int64   `json:"memory_bytes,omitempty"` // RAM
}

// MountKind tells where a mounted folder comes from.
type MountKind string

const (
	MountHost   MountKind = "host"   // Source is an absolute path on the machine
	MountVolume MountKind = "volume" // Source names a volume that outlives the job
	MountTemp   MountKind = "temp"   // Source names a volume that its steps share and that ends with the job
)

// A Mount is a folder of elsewhere in a container.
type Mount struct {
	Kind     MountKind `json:"kind"`
	Source   string    `json:"source"`
	Target   string    `json:"target"` // absolute path in the container
	ReadOnly bool      `json:"read_only,omitempty"`
	// Memory: a temp volume is kept in RAM.
	Memory bool `json:"memory,omitempty"`
}

// A Device is a device of the machine in a container.
type Device struct {
	Host        string `json:"host"`
	Container   string `json:"container"`
	Permissions string `json:"permissions"` // of r, w and m
}

// A Port is what a service listens on.
type Port struct {
	Number   int    `json:"number"`
	Protocol string `json:"protocol"` // "tcp" or "udp"
}

// A Healthcheck says how to tell that a service answers. Command and Port
// exclude each other; with neither, the default (see Step.Healthcheck) applies
// with these times. A service that does not answer in time is an error.
type Healthcheck struct {
	// Disabled: it is taken to answer as soon as it runs.
	Disabled bool `json:"disabled,omitempty"`
	// Command is run in the service's container, as arguments and not by a
	// shell; exit code 0 means that it answers.
	Command []string `json:"command,omitempty"`
	// Port is a TCP port that accepts connections when it answers.
	Port        int           `json:"port,omitempty"`
	Interval    time.Duration `json:"interval"`               // between two checks, default 1 s
	Timeout     time.Duration `json:"timeout"`                // of one check, default 5 s
	Retries     int           `json:"retries"`                // failed checks after StartPeriod that end it, default 60
	StartPeriod time.Duration `json:"start_period,omitempty"` // in which failed checks don't count
}

// HealthcheckDefaults returns the times of a healthcheck that names none.
func HealthcheckDefaults() Healthcheck {
	return Healthcheck{Interval: time.Second, Timeout: 5 * time.Second, Retries: 60}
}
