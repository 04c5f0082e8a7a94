package source

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Errors to be told apart with errors.Is. What is neither of them nor
// ErrInvalid is temporary: the network, the server, the disk.
var (
	// ErrCommitNotFound: the commit is not on the remote any more, or the ref
	// does not contain it.
	ErrCommitNotFound = errors.New("commit not found")
	// ErrAuth: the remote refuses the credential, or hides the repository from
	// it (hosts answer "not found" for a repository one may not see).
	ErrAuth = errors.New("repository not found or access denied")
	// ErrInvalid: a key, URL, ref, SHA or path that is refused before git is
	// run. Trying again does not help.
	ErrInvalid = errors.New("invalid")
)

// errMissing: an object is not there, although another one needs it.
var errMissing = errors.New("object is missing")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// A gitError is a git process that failed.
type gitError struct {
	command string // the subcommand, "fetch"
	stderr  string // scrubbed and bounded
	err     error  // of the process, or of the context that ended it
}

func (e *gitError) Error() string {
	if e.stderr == "" {
		return fmt.Sprintf("git %s: %v", e.command, e.err)
	}
	return fmt.Sprintf("git %s: %v: %s", e.command, e.err, e.stderr)
}

func (e *gitError) Unwrap() error { return e.err }

// What git says, with LC_ALL=C. Lines that begin with "remote: " are the
// server's own words and decide nothing.
var (
	saysAuth = regexp.MustCompile(`(?m)^fatal: (Authentication failed for |could not read (Username|Password) for |` +
		`repository '.*' not found|unable to access .*The requested URL returned error: 40[134])`)
	saysNoCommit = regexp.MustCompile(`(?m)^(fatal|error): (remote error: upload-pack: not our ref|couldn't find remote ref|` +
		`no such remote ref|Server does not allow request for unadvertised object|git upload-pack: not our ref)`)
	saysRedirect   = regexp.MustCompile(`(?m)^fatal: unable to access .*The requested URL returned error: 30[12378]`)
	saysBadModules = regexp.MustCompile(`(?m)^(fatal|error): bad config line [0-9]+ in blob `)
	saysCorrupt    = regexp.MustCompile(`(?m)^(fatal|error): .*(corrupt|not a git repository|bad object|bad tree|missing (blob|tree|commit)|` +
		`unable to read|cannot read object|could not (read|parse)|Could not read [0-9a-f]|failed to (read|unpack)|garbage|inflate|invalid object|not a valid object|` +
		`bad pack|index file|packfile|packed object|does not point to a valid object|did not send all necessary objects|unexpected line in .*packed-refs|bad config)`)
)

// stderrMatches tells whether err comes from a git that said so.
func stderrMatches(err error, says *regexp.Regexp) bool {
	var g *gitError
	return errors.As(err, &g) && says.MatchString(g.stderr)
}

// classify gives a failed fetch the error that its cause has.
func classify(err error) error {
	switch {
	case stderrMatches(err, saysAuth):
		return fmt.Errorf("%w: %w", ErrAuth, err)
	case stderrMatches(err, saysNoCommit):
		return fmt.Errorf("%w: %w", ErrCommitNotFound, err)
	}
	return err
}

// isCorrupt tells whether err means that the mirror itself is broken. The
// network's and the remote's failures are not.
func isCorrupt(err error) bool {
	return errors.Is(err, errMissing) || stderrMatches(err, saysCorrupt) && !stderrMatches(err, saysAuth) &&
		!stderrMatches(err, saysNoCommit) && !strings.Contains(err.Error(), "unable to access")
}
