package pipeline

import "time"

// EventKind is what happened to the repository.
type EventKind string

const (
	EventPush              EventKind = "push"
	EventTag               EventKind = "tag"
	EventPullRequest       EventKind = "pull_request"
	EventPullRequestClosed EventKind = "pull_request_closed"
	EventRelease           EventKind = "release"
	EventDeployment        EventKind = "deployment"
	EventCron              EventKind = "cron"
	EventManual            EventKind = "manual"
	EventMergeGroup        EventKind = "merge_group"
)

// EventKinds returns all kinds of events.
func EventKinds() []EventKind {
	return []EventKind{
		EventPush, EventTag, EventPullRequest, EventPullRequestClosed, EventRelease,
		EventDeployment, EventCron, EventManual, EventMergeGroup,
	}
}

// Facts are what is known of an event before the files are read. They decide
// the `when` filters and become the CI_* variables. A field that is not known
// stays empty, and so its variable is unset.
type Facts struct {
	Event  EventKind
	Repo   RepoFacts
	Commit CommitFacts
	// PullRequest is nil unless Event is EventPullRequest or
	// EventPullRequestClosed.
	PullRequest *PullRequestFacts
	Release     ReleaseFacts // of EventRelease
	Deploy      DeployFacts  // of EventDeployment
	Cron        string       // name of the schedule, of EventCron
	// Sender is the login of who caused the event, SenderAvatar their picture.
	Sender       string
	SenderAvatar string
	Changed      ChangedFacts
	Build        BuildFacts
	// Previous is the build before this one on the same branch; nil if there is none.
	Previous *PreviousFacts
	System   SystemFacts

	// Variables are given by who starts a build by hand. Every container gets
	// them, and files may mention them as they do the CI_* variables, which win.
	Variables map[string]string
	// Secrets are the names of the secrets that this event may use; a file that
	// names another is an error. With AnySecret every name is taken for known:
	// for checking files where the secrets are not.
	Secrets   []string
	AnySecret bool
	// PrivilegedImages are the images, without tag or with the one they need,
	// that run privileged: "docker.io/library/docker", "plugins/docker:20". A
	// plugin of such an image runs so without asking, if Repo.Trust allows.
	PrivilegedImages []string
}

// RepoFacts describe the repository.
type RepoFacts struct {
	RemoteID      string // the forge's own ID
	Owner, Name   string
	URL           string // web page
	CloneURL      string
	CloneSSHURL   string
	DefaultBranch string
	Private       bool
	Trust         Trust
}

// Trust is what an admin allows a repository's steps beyond a container.
type Trust struct {
	Security bool // privileged, devices, images that run privileged
	Volumes  bool // volumes, tmpfs
	Network  bool // dns, dns_search, extra_hosts, network_mode
}

// All reports whether the repository is trusted in every way.
func (t Trust) All() bool { return t.Security && t.Volumes && t.Network }

// CommitFacts describe the commit that is built.
type CommitFacts struct {
	SHA string
	// Ref is the full ref, "refs/heads/main", "refs/tags/v1", "refs/pull/3/head".
	Ref string
	// Branch is the pushed branch, or the target of a pull request or a merge
	// group; empty for a tag.
	Branch  string
	Tag     string
	Message string
	URL     string
	// Before is the ref's commit before a push; empty when it was new.
	Before                         string
	Author, AuthorEmail, AvatarURL string
}

// What happens to a pull request that is built.
const (
	PullOpened       = "opened" // or reopened
	PullSynchronized = "synchronized"
)

// PullRequestFacts describe a pull request.
type PullRequestFacts struct {
	Number       int
	Action       string // PullOpened or PullSynchronized, of EventPullRequest
	Title        string
	SourceBranch string
	TargetBranch string
	SourceRepo   string // "owner/name"
	Fork         bool
	Draft        bool
	Labels       []string
	Milestone    string
}

// ReleaseFacts describe a release.
type ReleaseFacts struct {
	Name       string
	Prerelease bool
}

// DeployFacts describe a deployment.
type DeployFacts struct {
	Target string // environment
	Task   string
	ID     int64 // the forge's number of it
}

// ChangedFacts are the files that a push or a pull request changed.
type ChangedFacts struct {
	Files []string // slash-separated, from the root of the tree
	// Unknown says in a few words why Files is not known ("the commit before the
	// push is gone"); then every file counts as changed. For an event that
	// changes nothing, such as a tag, both are empty.
	Unknown string
}

// BuildFacts describe the build that is being planned.
type BuildFacts struct {
	Number  int64
	Parent  int64 // the build this one restarts, or 0
	Created time.Time
	Started time.Time // zero until it is
	URL     string
}

// PreviousFacts describe the build before this one.
type PreviousFacts struct {
	Build    BuildFacts
	Event    EventKind
	Status   string // "success", "failure", …
	Finished time.Time
	Commit   CommitFacts
	Source   string // source branch, of a pull request
	Target   string // target branch, of a pull request
	Deploy   DeployFacts
	Sender   string
	Avatar   string
}

// SystemFacts describe the server.
type SystemFacts struct {
	Host    string // host name in the public URL, with its port if it has one
	URL     string
	Version string
	// ForgeURL is the web address of GitHub or GitHub Enterprise.
	ForgeURL string
	// Instance is the name that `when: instance` is compared with; empty: Host.
	Instance string
	// Platform is what steps run on, "linux/amd64"; empty if not known.
	Platform string
}
