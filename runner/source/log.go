package source

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// maxLog is how many bytes of a list of commits are read.
const maxLog = 8 << 20

// A LogEntry is a commit in a list of them.
type LogEntry struct {
	SHA, Author, Subject string // valid UTF-8
}

// Log returns the commits that head has and base has not, each before its
// parents: at most limit of them, and how many there are. ErrCommitNotFound means that the mirror has not got one of the two.
func (m *Mirrors) Log(ctx context.Context, key, base, head string, limit int) ([]LogEntry, int, error) {
	entries, total, err := m.listCommits(ctx, key, base, head, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list commits from %.12s to %.12s: %w", base, head, err)
	}
	return entries, total, nil
}

func (m *Mirrors) listCommits(ctx context.Context, key, base, head string, limit int) (entries []LogEntry, total int, err error) {
	mir, err := m.mirror(key)
	if err != nil {
		return nil, 0, err
	}
	for _, sha := range []string{base, head} {
		if err := checkSHA(sha); err != nil {
			return nil, 0, err
		}
	}
	err = mir.read(func() error {
		types, err := m.objectTypes(ctx, mir, base, head)
		if err != nil {
			return err
		}
		if types[0] != "commit" || types[1] != "commit" {
			return ErrCommitNotFound
		}
		span := base + ".." + head
		out, err := m.git(ctx, gitCmd{gitDir: mir.dir, args: []string{"rev-list", "--count", "--end-of-options", span}}, maxStderr)
		if err != nil {
			return err
		}
		if total, err = strconv.Atoi(strings.TrimSpace(string(out))); err != nil {
			return fmt.Errorf("git rev-list: unexpected output %q", out)
		}
		// %s joins the lines of a subject, so that each entry is one line.
		out, err = m.git(ctx, gitCmd{
			gitDir: mir.dir,
			args: []string{"log", "--topo-order", "--no-show-signature", "--encoding=UTF-8", "--format=%H%x00%an%x00%s",
				"-n", strconv.Itoa(limit), "--end-of-options", span},
		}, maxLog)
		if err != nil {
			return err
		}
		entries, err = parseLog(strings.ToValidUTF8(string(out), "\uFFFD"))
		return err
	})
	return entries, total, err
}

func parseLog(out string) (entries []LogEntry, err error) {
	for line := range strings.Lines(out) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\x00", 3)
		if len(f) != 3 {
			return nil, fmt.Errorf("git log: unexpected line %q", line)
		}
		entries = append(entries, LogEntry{SHA: f[0], Author: f[1], Subject: f[2]})
	}
	return entries, nil
}
