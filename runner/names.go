package runner

import "fmt"

// ContainerName returns the name of a step's container. step and attempt count
// from 1.
func ContainerName(server, job string, step, attempt int) string {
	return fmt.Sprintf("slipway-%s-%s-%d-%d", server, job, step, attempt)
}

// NetworkName returns the name of a job's network.
func NetworkName(server, job string) string { return "slipway-" + server + "-" + job }

// VolumeName returns the name of a job's volume.
func VolumeName(server, job string) string { return "slipway-" + server + "-" + job }
