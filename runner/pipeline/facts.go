package pipeline

import "time"

// EventKind is what happened to the repository.
type EventKind string

const (
	EventPush        EventKind = "push"
	EventTag         EventKind = "tag"
	EventPullRequest EventKind = "pull_request"
)

// Facts are what is known of an event before the files are read. They decide
// the `when` filters and become the CI_* variables. A field that is not known
// stays empty, and so its variable is unset.
type Facts struct {
	Event  EventKind
	Repo   RepoFacts
	Commit CommitFacts
	// PullRequest is nil unless Event is EventPullRequest.
	PullRequest *PullRequestFacts
	// Sender is the login of who caused the event.
	Sender string
	Build  BuildFacts
	System SystemFacts
}

// RepoFacts describe the repository.
type RepoFacts struct {
	RemoteID      string // the forge's own ID
	Owner, Name   string
	URL           string // web page
	CloneURL      string
	DefaultBranch string
	Private       bool
}

// CommitFacts describe the commit that is built.
type CommitFacts struct {
	SHA string
	// Ref is the full ref, "refs/heads/main", "refs/tags/v1", "refs/pull/3/head".
	Ref string
	// Branch is the pushed branch, or a pull request's target; empty for a tag.
	Branch  string
	Tag     string
	Message string
	URL     string
	// Before is the ref's commit before a push; empty when it was new.
	Before                         string
	Author, AuthorEmail, AvatarURL string
}

// PullRequestFacts describe a pull request.
type PullRequestFacts struct {
	Number       int
	Title        string
	SourceBranch string
	TargetBranch string
	SourceRepo   string // "owner/name"
	Fork         bool
	Draft        bool
	Labels       []string
}

// BuildFacts describe the build that is being planned.
type BuildFacts struct {
	Number  int64
	Parent  int64 // the build this one restarts, or 0
	Created time.Time
	URL     string
}

// SystemFacts describe the server.
type SystemFacts struct {
	Host    string // host name in the public URL
	URL     string
	Version string
	// ForgeURL is the web address of GitHub or GitHub Enterprise.
	ForgeURL string
}
