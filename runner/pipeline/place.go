package pipeline

import (
	"fmt"
	"maps"
	"slices"
)

// A Place is where a secret's value stands in a step, other than in a variable.
// What the step has there in the plan means nothing.
type Place struct {
	Key    string `json:"key"`             // the field of Step, as in JSON
	Index  int    `json:"index,omitempty"` // in the field's list
	Secret string `json:"secret"`          // its name
}

// Keys of places.
const (
	placeImage       = "image"
	placeUser        = "user"
	placeVolumes     = "volumes"
	placeTmpfs       = "tmpfs"
	placeDevices     = "devices"
	placeDNS         = "dns"
	placeDNSSearch   = "dns_search"
	placeExtraHosts  = "extra_hosts"
	placeNetworkMode = "network_mode"
)

// plan adds the places of what steps and services share.
func (c *containerFile) plan(s *Step) {
	c.Image.place(s, placeImage, 0)
	c.BackendOptions.Docker.User.place(s, placeUser, 0)
	c.Volumes.secrets.place(s, placeVolumes)
	c.Tmpfs.secrets.place(s, placeTmpfs)
	c.Devices.secrets.place(s, placeDevices)
	c.DNS.place(s, placeDNS)
	c.DNSSearch.place(s, placeDNSSearch)
	c.ExtraHosts.place(s, placeExtraHosts)
	c.NetworkMode.place(s, placeNetworkMode, 0)
}

// ownPlaces makes the step's lists its own before values are put into them.
func (s *Step) ownPlaces() {
	s.Volumes, s.Devices, s.Tmpfs = slices.Clone(s.Volumes), slices.Clone(s.Devices), maps.Clone(s.Tmpfs)
	s.DNS, s.DNSSearch, s.ExtraHosts = slices.Clone(s.DNS), slices.Clone(s.DNSSearch), slices.Clone(s.ExtraHosts)
}

// fill puts the value of a secret into its place. The error does not quote it.
func (s *Step) fill(p Place, value string) error {
	var fault string
	switch p.Key {
	case placeImage:
		s.Image, fault = value, imageFault(value)
	case placeUser:
		s.User, fault = value, userFault(value)
	case placeNetworkMode:
		s.NetworkMode, fault = value, networkFault(value)
	case placeTmpfs:
		fault = s.fillTmpfs(value)
	case placeVolumes:
		fault = s.fillVolume(p.Index, value)
	case placeDevices:
		device, ok := parseDevice(value)
		if fault = "is not a device"; ok {
			fault = fillAt(s.Devices, p.Index, device, "")
		}
	case placeDNS:
		fault = fillAt(s.DNS, p.Index, value, addressFault(value))
	case placeDNSSearch:
		fault = fillAt(s.DNSSearch, p.Index, value, domainFault(value))
	case placeExtraHosts:
		fault = fillAt(s.ExtraHosts, p.Index, extraHost(value), extraHostFault(value))
	default:
		fault = noPlace
	}
	if fault != "" {
		return fmt.Errorf("the secret `%s` %s", clip(p.Secret), fault)
	}
	return nil
}

// noPlace is a fault of the plan: of one that was not made by this package.
const noPlace = "has no place in the step"

// fillAt puts a value into a list, unless fault says what is wrong with it.
func fillAt[T any](list []T, index int, value T, fault string) string {
	if index < 0 || index >= len(list) {
		return noPlace
	}
	list[index] = value
	return fault
}

func (s *Step) fillTmpfs(value string) string {
	path, options, fault := parseTmpfs(value)
	if fault != "" {
		return fault
	}
	if s.Tmpfs == nil {
		s.Tmpfs = map[string]string{}
	}
	s.Tmpfs[path] = options
	return ""
}

// fillVolume puts a mount into its place. The name of a volume is shown by the
// engine to whoever lists them, and no secret therefore.
func (s *Step) fillVolume(index int, value string) string {
	m, fault := parseMount(value)
	if fault == "" && m.Kind != MountHost {
		fault = "names a volume, and names are no secrets: it must begin with an absolute path"
	}
	return fillAt(s.Volumes, index, m, fault)
}
