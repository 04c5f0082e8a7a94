package docker

import (
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"

	"github.com/slipway-ci/slipway/runner"
	"github.com/slipway-ci/slipway/runner/pipeline"
)

// mounts returns a container's folders of elsewhere. Those of the machine are
// binds, since of these the engine makes what is not there.
func mounts(s runner.ContainerSpec) (binds []string, mounts []mount.Mount) {
	if s.VolumeID != "" {
		mounts = append(mounts, mount.Mount{
			Type: mount.TypeVolume, Source: s.VolumeID, Target: s.MountPath,
			VolumeOptions: &mount.VolumeOptions{NoCopy: true},
		})
	}
	for _, m := range s.Mounts {
		switch {
		case m.Kind != pipeline.MountHost:
			mounts = append(mounts, mount.Mount{Type: mount.TypeVolume, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly})
		case m.ReadOnly:
			binds = append(binds, m.Source+":"+m.Target+":ro")
		default:
			binds = append(binds, m.Source+":"+m.Target)
		}
	}
	return binds, mounts
}

func devices(list []pipeline.Device) []container.DeviceMapping {
	var out []container.DeviceMapping
	for _, d := range list {
		out = append(out, container.DeviceMapping{PathOnHost: d.Host, PathInContainer: d.Container, CgroupPermissions: d.Permissions})
	}
	return out
}

func networkMode(s runner.ContainerSpec) container.NetworkMode {
	switch {
	case s.NetworkMode != "":
		return container.NetworkMode(s.NetworkMode)
	case s.Sandbox != "":
		return container.NetworkMode("container:" + s.Sandbox)
	case s.NetworkID != "":
		return container.NetworkMode(s.NetworkID)
	default:
		return network.NetworkNone
	}
}

// networking gives the container its names on a network that can have them.
func networking(s runner.ContainerSpec) *network.NetworkingConfig {
	mode := networkMode(s)
	if !mode.IsUserDefined() {
		return nil
	}
	return &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
		string(mode): {Aliases: s.Aliases},
	}}
}
