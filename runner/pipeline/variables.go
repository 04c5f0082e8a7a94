package pipeline

import (
	"maps"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxVariable is the most bytes of a variable's value. The kernel refuses to
// start a process with one of 128 KiB, and a commit message has no bound.
const maxVariable = 32 << 10

// variableSet has the names of Woodpecker's variables that are known when a
// file is read, also of those that have no value here: `${CI_COMMIT_TAG:-none}`
// is "none" when there is no tag. What a running step adds (CI_STEP_*) is not in
// it, nor is what merely begins with CI_.
var variableSet = setOf(`
	CI
	CI_REPO CI_REPO_OWNER CI_REPO_NAME CI_REPO_REMOTE_ID CI_REPO_SCM CI_REPO_URL CI_REPO_CLONE_URL
	CI_REPO_CLONE_SSH_URL CI_REPO_DEFAULT_BRANCH CI_REPO_PRIVATE
	CI_REPO_TRUSTED CI_REPO_TRUSTED_NETWORK CI_REPO_TRUSTED_VOLUMES CI_REPO_TRUSTED_SECURITY
	CI_COMMIT_SHA CI_COMMIT_REF CI_COMMIT_REFSPEC CI_COMMIT_BRANCH CI_COMMIT_SOURCE_BRANCH
	CI_COMMIT_TARGET_BRANCH CI_COMMIT_TAG CI_COMMIT_PULL_REQUEST CI_COMMIT_PULL_REQUEST_LABELS
	CI_COMMIT_PULL_REQUEST_MILESTONE CI_COMMIT_MESSAGE CI_COMMIT_AUTHOR CI_COMMIT_AUTHOR_EMAIL
	CI_COMMIT_AUTHOR_AVATAR CI_COMMIT_PRERELEASE CI_COMMIT_URL
	CI_PIPELINE_NUMBER CI_PIPELINE_PARENT CI_PIPELINE_EVENT CI_PIPELINE_URL CI_PIPELINE_FORGE_URL
	CI_PIPELINE_DEPLOY_TARGET CI_PIPELINE_DEPLOY_TASK CI_PIPELINE_CREATED CI_PIPELINE_STARTED
	CI_PIPELINE_FILES CI_PIPELINE_AUTHOR CI_PIPELINE_AVATAR
	CI_WORKFLOW_NAME CI_WORKFLOW_NUMBER CI_WORKSPACE
	CI_SYSTEM_NAME CI_SYSTEM_URL CI_SYSTEM_HOST CI_SYSTEM_VERSION CI_SYSTEM_PLATFORM
	CI_FORGE_TYPE CI_FORGE_URL
	CI_PREV_COMMIT_SHA CI_PREV_COMMIT_REF CI_PREV_COMMIT_REFSPEC CI_PREV_COMMIT_BRANCH
	CI_PREV_COMMIT_SOURCE_BRANCH CI_PREV_COMMIT_TARGET_BRANCH CI_PREV_COMMIT_URL
	CI_PREV_COMMIT_MESSAGE CI_PREV_COMMIT_AUTHOR CI_PREV_COMMIT_AUTHOR_EMAIL
	CI_PREV_COMMIT_AUTHOR_AVATAR
	CI_PREV_PIPELINE_NUMBER CI_PREV_PIPELINE_PARENT CI_PREV_PIPELINE_EVENT CI_PREV_PIPELINE_URL
	CI_PREV_PIPELINE_FORGE_URL CI_PREV_PIPELINE_DEPLOY_TARGET CI_PREV_PIPELINE_DEPLOY_TASK
	CI_PREV_PIPELINE_STATUS CI_PREV_PIPELINE_CREATED CI_PREV_PIPELINE_STARTED
	CI_PREV_PIPELINE_FINISHED CI_PREV_PIPELINE_AUTHOR CI_PREV_PIPELINE_AVATAR`)

func setOf(names string) map[string]struct{} {
	set := map[string]struct{}{}
	for _, n := range strings.Fields(names) {
		set[n] = struct{}{}
	}
	return set
}

// variables are CI_* variables and their values; an empty value is not set.
type variables map[string]string

// set stores a value as a process can be given it: without NUL, in UTF-8, and
// cut to maxVariable.
func (v variables) set(name, value string) {
	value = strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", ""), "\ufffd")
	if len(value) > maxVariable {
		cut := maxVariable
		for !utf8.RuneStart(value[cut]) {
			cut--
		}
		value = value[:cut]
	}
	if value != "" {
		v[name] = value
	}
}

func (v variables) setNumber(name string, n int64) {
	if n != 0 {
		v.set(name, strconv.FormatInt(n, 10))
	}
}

// factVariables are the variables that all workflows of a build share.
func factVariables(f Facts) variables {
	v := variables{}
	for name, value := range f.Variables {
		v.set(name, value)
	}
	v["CI"], v["CI_SYSTEM_NAME"] = "slipway", "slipway"
	v.setSystem(f)
	v.setRepo(f)
	v.setCommit(f)
	v.setPull(f.PullRequest)
	v.setPipeline(f)
	v.setPrevious(f.Previous)
	return v
}

func (v variables) setSystem(f Facts) {
	v.set("CI_SYSTEM_HOST", f.System.Host)
	v.set("CI_SYSTEM_URL", f.System.URL)
	v.set("CI_SYSTEM_VERSION", f.System.Version)
	v.set("CI_SYSTEM_PLATFORM", f.System.Platform)
	if f.System.ForgeURL != "" {
		v.set("CI_FORGE_TYPE", "github")
		v.set("CI_FORGE_URL", f.System.ForgeURL)
	}
}

func (v variables) setRepo(f Facts) {
	if f.Repo.Name != "" {
		v.set("CI_REPO", path.Join(f.Repo.Owner, f.Repo.Name))
		v.set("CI_REPO_SCM", "git")
		v.set("CI_REPO_PRIVATE", strconv.FormatBool(f.Repo.Private))
		v.set("CI_REPO_TRUSTED", strconv.FormatBool(f.Repo.Trust.All()))
		v.set("CI_REPO_TRUSTED_NETWORK", strconv.FormatBool(f.Repo.Trust.Network))
		v.set("CI_REPO_TRUSTED_VOLUMES", strconv.FormatBool(f.Repo.Trust.Volumes))
		v.set("CI_REPO_TRUSTED_SECURITY", strconv.FormatBool(f.Repo.Trust.Security))
	}
	v.set("CI_REPO_OWNER", f.Repo.Owner)
	v.set("CI_REPO_NAME", f.Repo.Name)
	v.set("CI_REPO_REMOTE_ID", f.Repo.RemoteID)
	v.set("CI_REPO_URL", f.Repo.URL)
	v.set("CI_REPO_CLONE_URL", f.Repo.CloneURL)
	v.set("CI_REPO_CLONE_SSH_URL", f.Repo.CloneSSHURL)
	v.set("CI_REPO_DEFAULT_BRANCH", f.Repo.DefaultBranch)
}

func (v variables) setCommit(f Facts) {
	c := f.Commit
	v.set("CI_COMMIT_SHA", c.SHA)
	v.set("CI_COMMIT_REF", c.Ref)
	v.set("CI_COMMIT_BRANCH", c.Branch)
	v.set("CI_COMMIT_TAG", c.Tag)
	v.set("CI_COMMIT_MESSAGE", c.Message)
	v.set("CI_COMMIT_URL", c.URL)
	v.set("CI_COMMIT_AUTHOR", c.Author)
	v.set("CI_COMMIT_AUTHOR_EMAIL", c.AuthorEmail)
	v.set("CI_COMMIT_AUTHOR_AVATAR", c.AvatarURL)
	v.set("CI_PREV_COMMIT_SHA", c.Before)
	if f.Event == EventRelease {
		v.set("CI_COMMIT_PRERELEASE", strconv.FormatBool(f.Release.Prerelease))
	}
}

func (v variables) setPull(pr *PullRequestFacts) {
	if pr == nil {
		return
	}
	v.setNumber("CI_COMMIT_PULL_REQUEST", int64(pr.Number))
	v.set("CI_COMMIT_PULL_REQUEST_LABELS", strings.Join(pr.Labels, ","))
	v.set("CI_COMMIT_PULL_REQUEST_MILESTONE", pr.Milestone)
	v.setBranches("CI_COMMIT_", pr.SourceBranch, pr.TargetBranch)
}

func (v variables) setBranches(prefix, source, target string) {
	v.set(prefix+"SOURCE_BRANCH", source)
	v.set(prefix+"TARGET_BRANCH", target)
	if source != "" && target != "" {
		v.set(prefix+"REFSPEC", source+":"+target)
	}
}

func (v variables) setPipeline(f Facts) {
	v.setBuild("CI_PIPELINE_", f.Build, f.Event, f.Deploy)
	v.set("CI_PIPELINE_FORGE_URL", f.Commit.URL)
	v.set("CI_PIPELINE_AUTHOR", f.Sender)
	v.set("CI_PIPELINE_AVATAR", f.SenderAvatar)
	if changesFiles(f.Event) && f.Changed.Unknown == "" {
		v.setFiles(f.Changed.Files)
	}
}

// setFiles lists the changed files as JSON, unless they are more than a process
// should be given; Woodpecker's bound is the same.
func (v variables) setFiles(files []string) {
	const most = 500
	if len(files) > most {
		return
	}
	if list, err := encodeJSON(append([]string{}, files...)); err == nil && len(list) <= maxVariable {
		v.set("CI_PIPELINE_FILES", list)
	}
}

func (v variables) setBuild(prefix string, b BuildFacts, event EventKind, deploy DeployFacts) {
	v.set(prefix+"EVENT", string(event))
	v.setNumber(prefix+"NUMBER", b.Number)
	v.setNumber(prefix+"PARENT", b.Parent)
	v.set(prefix+"URL", b.URL)
	v.setTime(prefix+"CREATED", b.Created)
	v.setTime(prefix+"STARTED", b.Started)
	v.set(prefix+"DEPLOY_TARGET", deploy.Target)
	v.set(prefix+"DEPLOY_TASK", deploy.Task)
}

func (v variables) setPrevious(p *PreviousFacts) {
	if p == nil {
		return
	}
	c := p.Commit
	v.set("CI_PREV_COMMIT_SHA", c.SHA)
	v.set("CI_PREV_COMMIT_REF", c.Ref)
	v.set("CI_PREV_COMMIT_BRANCH", c.Branch)
	v.set("CI_PREV_COMMIT_URL", c.URL)
	v.set("CI_PREV_COMMIT_MESSAGE", c.Message)
	v.set("CI_PREV_COMMIT_AUTHOR", c.Author)
	v.set("CI_PREV_COMMIT_AUTHOR_EMAIL", c.AuthorEmail)
	v.set("CI_PREV_COMMIT_AUTHOR_AVATAR", c.AvatarURL)
	v.setBranches("CI_PREV_COMMIT_", p.Source, p.Target)
	v.setBuild("CI_PREV_PIPELINE_", p.Build, p.Event, p.Deploy)
	v.set("CI_PREV_PIPELINE_FORGE_URL", c.URL)
	v.set("CI_PREV_PIPELINE_STATUS", p.Status)
	v.setTime("CI_PREV_PIPELINE_FINISHED", p.Finished)
	v.set("CI_PREV_PIPELINE_AUTHOR", p.Sender)
	v.set("CI_PREV_PIPELINE_AVATAR", p.Avatar)
}

// setTime stores a time as seconds since 1970.
func (v variables) setTime(name string, t time.Time) {
	if !t.IsZero() {
		v.setNumber(name, t.Unix())
	}
}

// forWorkflow copies the variables and adds those of one workflow.
func (v variables) forWorkflow(name string) variables {
	out := make(variables, len(v)+4)
	maps.Copy(out, v)
	out.set("CI_WORKFLOW_NAME", name)
	return out
}

// hostOf returns the host of a URL without its port, or "".
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
