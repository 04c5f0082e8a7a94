package webui

import (
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"github.com/slipway-ci/slipway/store"
)

// formatDuration returns a duration in at most two units: "0.4s", "12s",
// "3m 05s". What is under ten seconds is shown to the tenth, since a fast build
// is made of such steps.
func formatDuration(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < 10*time.Second:
		return fmt.Sprintf("%d.%ds", int(d.Seconds()), int(d.Milliseconds()/100)%10)
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm %02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

// ago returns how long ago t was in words. The script keeps it current, by the
// same rules (static/time.js).
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < 45*time.Second:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", max(1, int(d.Minutes())))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	case d < 30*24*time.Hour:
		return fmt.Sprintf("%d d ago", int(d.Hours()/24))
	default:
		return t.Format("2 Jan 2006")
	}
}

// stamp is a time for machines, clock one for people.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// short cuts a commit's hash to what people use.
func short(sha string) string {
	if len(sha) > 7 {
		return sha[:7]
	}
	return sha
}

func lineCount(n int64) string { return humanize.Comma(n) }

// firstLine returns the first line of a commit message.
func firstLine(message string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	if first = strings.TrimSpace(first); first == "" {
		return "(no message)"
	}
	return first
}

// sentence begins a text with a capital, if with a letter at all.
func sentence(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + s[n:]
}

// ticks shows a text of ours in which `such words` are code.
func ticks(s string) template.HTML {
	parts := strings.Split(template.HTMLEscapeString(s), "`")
	var b strings.Builder
	for i, part := range parts {
		switch {
		case i%2 == 0:
			b.WriteString(part)
		case i == len(parts)-1: // one that is not closed
			b.WriteString("`" + part)
		default:
			b.WriteString("<code>" + part + "</code>")
		}
	}
	return template.HTML(b.String()) //nolint:gosec // escaped above
}

// signals are those that end containers, by number.
var signals = map[int]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
	9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
}

// exitWords says what an exit code means.
func exitWords(code int) string {
	words := "exit code " + strconv.Itoa(code)
	switch {
	case code == 126:
		return words + ": not executable"
	case code == 127:
		return words + ": command not found"
	case code > 128 && signals[code-128] != "":
		return words + ": ended by " + signals[code-128]
	default:
		return words
	}
}

func repoPath(r store.Repo) string {
	return "/repos/" + url.PathEscape(r.Owner) + "/" + url.PathEscape(r.Name)
}

func buildPath(r store.Repo, number int64) string {
	return fmt.Sprintf("%s/builds/%d", repoPath(r), number)
}

func stepPath(r store.Repo, number int64, job, step int) string {
	return fmt.Sprintf("%s/jobs/%d/steps/%d", buildPath(r, number), job, step)
}

// count is a number of things: "1 job", "3 jobs".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// ordinal is a place: "1st", "22nd".
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}
