package pipeline

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// semver is a version such as 1.2.3-rc.1+build.5, with or without a leading v.
var semver = regexp.MustCompile(`^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$`)

// setSemver adds the parts of a tag that is a semantic version, or why it is none.
func (v variables) setSemver(tag string) {
	m := semver.FindStringSubmatch(tag)
	if m == nil {
		v.set("DRONE_SEMVER_ERROR", fmt.Sprintf("%s is not a semantic version", tag))
		return
	}
	var numbers [3]string
	for i := range numbers {
		n, err := strconv.ParseInt(m[i+1], 10, 64)
		if err != nil {
			v.set("DRONE_SEMVER_ERROR", fmt.Sprintf("%s is out of range", m[i+1]))
			return
		}
		numbers[i] = strconv.FormatInt(n, 10)
	}
	short := strings.Join(numbers[:], ".")
	full := short
	if m[4] != "" {
		full += "-" + m[4]
	}
	if m[5] != "" {
		full += "+" + m[5]
	}
	v.set("DRONE_SEMVER", full)
	v.set("DRONE_SEMVER_SHORT", short)
	v.set("DRONE_SEMVER_MAJOR", numbers[0])
	v.set("DRONE_SEMVER_MINOR", numbers[1])
	v.set("DRONE_SEMVER_PATCH", numbers[2])
	v.set("DRONE_SEMVER_PRERELEASE", m[4])
	v.set("DRONE_SEMVER_BUILD", m[5])
}

// calver is a version that begins with a year, such as 2026.11 or 26.1.3-rc1.
var calver = regexp.MustCompile(`^v?(\d+)\.(\d+)(?:\.([^-]*)(?:-(.*))?)?$`)

// setCalver adds the parts of a tag that is a calendar version.
func (v variables) setCalver(tag string) {
	m := calver.FindStringSubmatch(tag)
	if len(m) < 2 || !isYear(m[1]) {
		return
	}
	short := m[1] + "." + m[2]
	v.set("DRONE_CALVER_MAJOR_MINOR", short)
	if m[3] != "" {
		short += "." + m[3]
	}
	full := short
	if m[4] != "" {
		full += "-" + m[4]
	}
	v.set("DRONE_CALVER", full)
	v.set("DRONE_CALVER_SHORT", short)
	v.set("DRONE_CALVER_MAJOR", m[1])
	v.set("DRONE_CALVER_MINOR", m[2])
	v.set("DRONE_CALVER_MICRO", m[3])
	v.set("DRONE_CALVER_MODIFIER", m[4])
}

// isYear reports whether a number is a year of four or two digits, none of them
// before Drone had calendar versions.
func isYear(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && (n >= 2019 && n <= 9998 || n >= 19 && n <= 99)
}
