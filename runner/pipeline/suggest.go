package pipeline

import (
	"fmt"
	"sort"
	"strings"
)

// foreign are words of other CI systems, and abbreviations, which edit distance
// would not lead to ours.
var foreign = map[string]string{
	"branches":  "when",
	"env":       "environment",
	"failed":    "failure",
	"group":     "depends_on",
	"img":       "image",
	"jobs":      "steps",
	"needs":     "depends_on",
	"on":        "when",
	"only":      "when",
	"passed":    "success",
	"pipeline":  "steps",
	"run":       "commands",
	"script":    "commands",
	"secrets":   "environment",
	"succeeded": "success",
	"with":      "settings",
	"workdir":   "directory",
}

// didYouMean returns a fix that names the candidate nearest to word, or the
// candidates themselves if none is near and they are few.
func didYouMean(word string, candidates []string) string {
	if near := nearest(word, candidates); near != "" {
		return fmt.Sprintf("did you mean `%s`?", near)
	}
	if len(candidates) == 0 || len(candidates) > 16 {
		return ""
	}
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	return "known are `" + strings.Join(sorted, "`, `") + "`"
}

func nearest(word string, candidates []string) string {
	if f, ok := foreign[strings.ToLower(word)]; ok {
		for _, c := range candidates {
			if c == f {
				return c
			}
		}
	}
	if len(word) > 40 {
		return "" // no typing error, and the distance would cost
	}
	best, bestDistance := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if len(c) > 60 {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance || d == bestDistance && best != "" && c < best {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of bytes to insert, remove, replace or swap with the
// next that turns a into b.
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last = last, row
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
