package webui

import (
	"fmt"
	"slices"
	"time"

	"github.com/slipway-ci/slipway/store"
)

// Charts are drawn by hand in templates/builds.html rather than by a library:
// they are bars of two kinds that take their colours from the page's theme.
const (
	trendDays   = 30
	trendWidth  = 10 // of a day, in units of the drawing
	trendHeight = 40
)

// trend is how the builds of the last days went.
type trend struct {
	Days          [trendDays]trendDay // the last one is today
	Passed, Total int
	Median        time.Duration // of those that passed
}

// trendDay is a day of a chart; what has no size is not drawn.
type trendDay struct {
	Date           string
	Passed, Failed int
	Median         time.Duration
	X              int
	// Heights of the bars: passed and failed stand on each other.
	PassedHeight, FailedHeight, MedianHeight int

	times []time.Duration
}

// newTrend works out the trend of verdicts up to now, in days of UTC; nil if
// fewer than two fall into it.
func newTrend(verdicts []store.Build, now time.Time) *trend {
	t := &trend{}
	today := now.UTC().Truncate(24 * time.Hour)
	var all []time.Duration
	for i := range t.Days {
		t.Days[i].X = i * trendWidth
		t.Days[i].Date = today.AddDate(0, 0, i+1-trendDays).Format("2 Jan")
	}
	for _, b := range verdicts {
		ago := int(today.Sub(b.CreatedAt.UTC().Truncate(24*time.Hour)) / (24 * time.Hour))
		if ago < 0 || ago >= trendDays {
			continue
		}
		day := &t.Days[trendDays-1-ago]
		t.Total++
		if b.Status != store.Success {
			day.Failed++
			continue
		}
		t.Passed++
		day.Passed++
		if took := b.Duration(now); took > 0 {
			day.times = append(day.times, took)
			all = append(all, took)
		}
	}
	if t.Total < 2 {
		return nil
	}
	t.Median = median(all)
	t.scale()
	return t
}

// scale sets the heights, so that the highest bar of each chart fills it.
func (t *trend) scale() {
	var most int
	var longest time.Duration
	for i := range t.Days {
		d := &t.Days[i]
		d.Median = median(d.times)
		most, longest = max(most, d.Passed+d.Failed), max(longest, d.Median)
	}
	for i := range t.Days {
		d := &t.Days[i]
		d.PassedHeight, d.FailedHeight = height(d.Passed, most), height(d.Failed, most)
		d.MedianHeight = height(int(d.Median), int(longest))
	}
}

// height is that of a bar; what is there at all is seen.
func height(value, most int) int {
	if value == 0 || most == 0 {
		return 0
	}
	return max(2, value*trendHeight/most)
}

func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// Rate says in words how many passed.
func (t *trend) Rate() string {
	return fmt.Sprintf("%d%% of %d builds passed", t.Passed*100/t.Total, t.Total)
}

// MedianWords says in words how long builds take.
func (t *trend) MedianWords() string {
	if t.Median == 0 {
		return "No build passed"
	}
	return "Median " + formatDuration(t.Median)
}

// Words describe a day for who points at it.
func (d trendDay) Words() string {
	return fmt.Sprintf("%s: %d passed, %d failed", d.Date, d.Passed, d.Failed)
}

// MedianWords describe the duration of a day's builds.
func (d trendDay) MedianWords() string {
	return d.Date + ": " + formatDuration(d.Median)
}

// Top is where a bar of that height begins.
func (trendDay) Top(height int) int { return trendHeight - height }

// Stacked is the height of both bars together.
func (d trendDay) Stacked() int { return d.PassedHeight + d.FailedHeight }
