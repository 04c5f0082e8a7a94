package pipeline

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxDuration is the longest duration that may be written.
const maxDuration = 30 * 24 * time.Hour

// duration is a time span with its unit, such as 90s or 1h30m.
type duration struct {
	value time.Duration
	node  *yaml.Node // nil if the key is not there, or no duration
}

func (v *duration) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	span, err := time.ParseDuration(t.value)
	switch {
	case err != nil:
		d.report(n, fmt.Sprintf("must be a duration, this is `%s`", clip(t.value)), "write a number and its unit, for example `90s`, `10m` or `1h30m`")
	case span <= 0 || span > maxDuration:
		d.report(n, fmt.Sprintf("must be a duration of at most 720h, this is `%s`", clip(t.value)), "write for example `10m`")
	default:
		v.value, v.node = span, n
	}
}

// number is a number greater than 0.
type number struct {
	value float64
	node  *yaml.Node // nil if the key is not there, or no number
}

func (v *number) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	f, err := strconv.ParseFloat(t.value, 64)
	if err != nil || !(f > 0) || math.IsInf(f, 0) {
		d.report(n, fmt.Sprintf("must be a number greater than 0, this is `%s`", clip(t.value)), "")
		return
	}
	v.value, v.node = f, n
}

// size is a number of bytes. As with Docker a unit is always a power of 1024:
// 512m, 512MB and 512MiB are the same.
type size struct {
	value int64
	node  *yaml.Node // nil if the key is not there, or no size
}

func (v *size) decode(d *decoder, n *yaml.Node) {
	var t text
	if !t.decodeAs(d, n, plain) {
		return
	}
	bytes, ok := parseSize(t.value)
	if !ok {
		d.report(n, fmt.Sprintf("must be a size, this is `%s`", clip(t.value)), "write a number and its unit, for example `512MiB` or `2GiB`")
		return
	}
	v.value, v.node = bytes, n
}

// parseSize reads a number with an optional unit and reports whether it is one.
func parseSize(s string) (bytes int64, ok bool) {
	digits := strings.TrimRight(s, "bBiIkKmMgGtT ")
	factor := 1.0
	switch unit := strings.ToLower(strings.TrimSpace(s[len(digits):])); unit {
	case "", "b":
	case "k", "kb", "kib":
		factor = 1 << 10
	case "m", "mb", "mib":
		factor = 1 << 20
	case "g", "gb", "gib":
		factor = 1 << 30
	case "t", "tb", "tib":
		factor = 1 << 40
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || !(f > 0) || f*factor < 1 || f*factor > 1<<50 {
		return 0, false
	}
	return int64(f * factor), true
}
