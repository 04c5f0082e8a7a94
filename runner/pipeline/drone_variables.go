package pipeline

import (
	"path"
	"strconv"
	"strings"
)

// setDrone adds the variables that the files of Drone know, under Drone's names
// and with its values where they differ from ours: a push's source branch is
// the branch, CI is "true". Those that tell of a status, or of what failed, are as
// they are while nothing has; the runner sets them anew for each step. What has
// not ended has ended at 0.
func (v variables) setDrone(f *Facts) {
	v["CI"], v["DRONE"] = "true", "true"
	v.setDroneSystem(f)
	v.setDroneRepo(f)
	v.setDroneCommit(f)
	v.setDroneBuild(f)
	v.setDroneGit(f)
	if f.Event == EventPullRequest && f.PullRequest != nil {
		v.setNumber("DRONE_PULL_REQUEST", int64(f.PullRequest.Number))
		v.set("DRONE_PULL_REQUEST_TITLE", f.PullRequest.Title)
	}
	if tag, ok := strings.CutPrefix(f.Commit.Ref, "refs/tags/"); ok {
		v.set("DRONE_TAG", tag)
		v.setSemver(tag)
		v.setCalver(tag)
	}
}

func (v variables) setDroneSystem(f *Facts) {
	scheme, _, _ := strings.Cut(f.System.URL, "://")
	v.set("DRONE_SYSTEM_PROTO", scheme)
	v.set("DRONE_SYSTEM_HOST", f.System.Host)
	v.set("DRONE_SYSTEM_HOSTNAME", f.System.Host)
	v.set("DRONE_SYSTEM_VERSION", f.System.Version)
	// The steps run where the server does.
	v.set("DRONE_STAGE_MACHINE", f.System.Host)
	v.set("DRONE_RUNNER_HOST", f.System.Host)
	v.set("DRONE_RUNNER_HOSTNAME", f.System.Host)
	v.set("DRONE_RUNNER_PLATFORM", f.System.Platform)
}

func (v variables) setDroneRepo(f *Facts) {
	r := &f.Repo
	v.set("DRONE_REPO", path.Join(r.Owner, r.Name))
	v.set("DRONE_REPO_SCM", "git")
	v.set("DRONE_REPO_OWNER", r.Owner)
	v.set("DRONE_REPO_NAMESPACE", r.Owner)
	v.set("DRONE_REPO_NAME", r.Name)
	v.set("DRONE_REPO_LINK", r.URL)
	v.set("DRONE_REPO_BRANCH", r.DefaultBranch)
	v.set("DRONE_REMOTE_URL", r.CloneURL)
	v.set("DRONE_GIT_HTTP_URL", r.CloneURL)
	v.set("DRONE_GIT_SSH_URL", r.CloneSSHURL)
	v.set("DRONE_REPO_PRIVATE", strconv.FormatBool(r.Private))
	visibility := "public"
	if r.Private {
		visibility = "private"
	}
	v.set("DRONE_REPO_VISIBILITY", visibility)
}

func (v variables) setDroneCommit(f *Facts) {
	c := &f.Commit
	branch := droneBranch(f)
	source := branch
	if f.PullRequest != nil {
		source = f.PullRequest.SourceBranch
	}
	v.set("DRONE_BRANCH", branch)
	v.set("DRONE_TARGET_BRANCH", branch)
	v.set("DRONE_COMMIT_BRANCH", branch)
	v.set("DRONE_SOURCE_BRANCH", source)
	v.set("DRONE_COMMIT", c.SHA)
	v.set("DRONE_COMMIT_SHA", c.SHA)
	v.set("DRONE_COMMIT_AFTER", c.SHA)
	v.set("DRONE_COMMIT_BEFORE", c.Before)
	v.set("DRONE_COMMIT_REF", c.Ref)
	v.set("DRONE_COMMIT_LINK", c.URL)
	v.set("DRONE_COMMIT_MESSAGE", c.Message)
	v.set("DRONE_COMMIT_AUTHOR", c.Author)
	v.set("DRONE_COMMIT_AUTHOR_NAME", c.Author)
	v.set("DRONE_COMMIT_AUTHOR_EMAIL", c.AuthorEmail)
	v.set("DRONE_COMMIT_AUTHOR_AVATAR", c.AvatarURL)
}

func (v variables) setDroneBuild(f *Facts) {
	b := &f.Build
	v.set("DRONE_BUILD_NUMBER", strconv.FormatInt(b.Number, 10))
	v.set("DRONE_BUILD_PARENT", strconv.FormatInt(b.Parent, 10))
	v.set("DRONE_BUILD_EVENT", droneEvent(f))
	v.set("DRONE_BUILD_ACTION", droneAction(f))
	v.set("DRONE_BUILD_STATUS", outcomeSuccess)
	v.set("DRONE_BUILD_DEBUG", "false")
	v.set("DRONE_BUILD_LINK", b.URL)
	v.set("DRONE_BUILD_TRIGGER", droneBuildTrigger(f))
	v.setTime("DRONE_BUILD_CREATED", b.Created)
	started := b.Started
	if started.IsZero() {
		started = b.Created
	}
	v.setTime("DRONE_BUILD_STARTED", started)
	v.setTime("DRONE_STAGE_STARTED", started)
	v.set("DRONE_BUILD_FINISHED", "0")
	v.set("DRONE_STAGE_FINISHED", "0")
	v.set("DRONE_DEPLOY_TO", f.Deploy.Target)
	v.setNumber("DRONE_DEPLOY_ID", f.Deploy.ID)
}

// droneBuildTrigger says who started the build: a person, or what.
func droneBuildTrigger(f *Facts) string {
	switch f.Event {
	case EventManual:
		return f.Sender
	case EventCron:
		return "@cron"
	}
	return "@hook"
}

// setDroneGit sets what git asks for when a step commits.
func (v variables) setDroneGit(f *Facts) {
	name, email := f.Commit.Author, f.Commit.AuthorEmail
	if name == "" {
		name = "drone"
	}
	if email == "" {
		email = "noreply@drone"
	}
	v.set("GIT_AUTHOR_NAME", name)
	v.set("GIT_AUTHOR_EMAIL", email)
	v.set("GIT_COMMITTER_NAME", name)
	v.set("GIT_COMMITTER_EMAIL", email)
	v.set("GIT_TERMINAL_PROMPT", "0")
}

// setDroneStage adds the variables of one pipeline that are known before it is
// read.
func (v variables) setDroneStage(name string, ws Workspace) {
	v.set("DRONE_STAGE_KIND", "pipeline")
	v.set("DRONE_STAGE_TYPE", "docker")
	v.set("DRONE_STAGE_NAME", name)
	v.set("DRONE_STAGE_STATUS", outcomeSuccess)
	v.set("DRONE_WORKSPACE", ws.Dir())
	v.set("DRONE_WORKSPACE_BASE", ws.Base)
	v.set("DRONE_WORKSPACE_PATH", ws.Path)
}

// setStage adds the variables of one pipeline that its file decides.
func (w *workflow) setStage(p *droneFile) {
	v := w.vars
	v.set("DRONE_STAGE_NUMBER", v["CI_WORKFLOW_NUMBER"])
	var needs []string
	for _, dep := range p.DependsOn.items {
		needs = append(needs, dep.Name.value)
	}
	v.set("DRONE_STAGE_DEPENDS_ON", strings.Join(needs, ","))
	// What runs it says more than the file, and fits it.
	platform := w.facts.System.Platform
	if platform == "" {
		platform = p.Platform.want()
	}
	parts := append(strings.Split(platform, "/"), "", "")
	v.set("DRONE_STAGE_OS", parts[0])
	v.set("DRONE_STAGE_ARCH", parts[1])
	v.set("DRONE_STAGE_VARIANT", parts[2])
}
