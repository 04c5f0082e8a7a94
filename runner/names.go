package runner

import "fmt"

// ContainerName returns the name of a step's container. step and attempt count
// from 1.
func ContainerName(server, job string, step, attempt int) string {
	return fmt.Sprintf("slipway-%s-%s-%d-%d", server, job, step, attempt)
}

// NetworkName returns the name of a job's network.
func NetworkName(server, job string) string { return "slipway-" + server + "-" + job }

// SandboxName returns the name of a sandbox: the nth, from 1, of those that a
// job's steps take in turn (step is 0), or the one that a step has to itself (n
// is 0).
func SandboxName(server, job string, step, n int) string {
	return fmt.Sprintf("slipway-%s-%s-sandbox-%d-%d", server, job, step, n)
}

// VolumeName returns the name of a job's volume.
func VolumeName(server, job string) string { return "slipway-" + server + "-" + job }

// SourceName returns the name of what fills a job's volume.
func SourceName(server, job string) string { return VolumeName(server, job) + "-source" }

// TempVolumeName returns the name of a volume that steps of a job share beside
// that of the source; name is what they call it.
func TempVolumeName(server, job, name string) string {
	return VolumeName(server, job) + "-" + name
}
