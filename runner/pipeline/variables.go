package pipeline

import (
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxVariable is the most bytes of a variable's value. The kernel refuses to
// start a process with one of 128 KiB, and a commit message has no bound.
const maxVariable = 32 << 10

// isVariable reports whether name is a CI_* variable that is known when a file
// is read. Those that a running step adds (CI_STEP_*) are not, nor is what
// merely begins with CI_.
func isVariable(name string) bool {
	_, ok := variableSet[name]
	return ok
}

// variableSet has the names of Woodpecker's variables, also of those that have
// no value here: `${CI_COMMIT_TAG:-none}` is "none" when there is no tag.
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
	v := variables{"CI": "slipway", "CI_SYSTEM_NAME": "slipway"}
	v.setSystem(f)
	v.setRepo(f)
	v.setCommit(f)
	v.setPipeline(f)
	return v
}

func (v variables) setSystem(f Facts) {
	v.set("CI_SYSTEM_HOST", f.System.Host)
	v.set("CI_SYSTEM_URL", f.System.URL)
	v.set("CI_SYSTEM_VERSION", f.System.Version)
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
	}
	v.set("CI_REPO_OWNER", f.Repo.Owner)
	v.set("CI_REPO_NAME", f.Repo.Name)
	v.set("CI_REPO_REMOTE_ID", f.Repo.RemoteID)
	v.set("CI_REPO_URL", f.Repo.URL)
	v.set("CI_REPO_CLONE_URL", f.Repo.CloneURL)
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
	if pr := f.PullRequest; pr != nil {
		v.setNumber("CI_COMMIT_PULL_REQUEST", int64(pr.Number))
		v.set("CI_COMMIT_PULL_REQUEST_LABELS", strings.Join(pr.Labels, ","))
		v.set("CI_COMMIT_SOURCE_BRANCH", pr.SourceBranch)
		v.set("CI_COMMIT_TARGET_BRANCH", pr.TargetBranch)
		if pr.SourceBranch != "" && pr.TargetBranch != "" {
			v.set("CI_COMMIT_REFSPEC", pr.SourceBranch+":"+pr.TargetBranch)
		}
	}
}

func (v variables) setPipeline(f Facts) {
	v.set("CI_PIPELINE_EVENT", string(f.Event))
	v.setNumber("CI_PIPELINE_NUMBER", f.Build.Number)
	v.setNumber("CI_PIPELINE_PARENT", f.Build.Parent)
	v.set("CI_PIPELINE_URL", f.Build.URL)
	v.set("CI_PIPELINE_FORGE_URL", f.Commit.URL)
	v.set("CI_PIPELINE_AUTHOR", f.Sender)
	if !f.Build.Created.IsZero() {
		v.setNumber("CI_PIPELINE_CREATED", f.Build.Created.Unix())
	}
}

// forWorkflow adds the variables of one workflow, numbered from 1.
func (v variables) forWorkflow(name string, number int) variables {
	out := make(variables, len(v)+3)
	for k, val := range v {
		out[k] = val
	}
	out.set("CI_WORKFLOW_NAME", name)
	out.setNumber("CI_WORKFLOW_NUMBER", int64(number))
	return out
}

// stepEnvironment returns a step's environment as written in the file, its
// settings, and the variables that are its own.
func stepEnvironment(c *containerFile, number int) map[string]string {
	env := map[string]string{}
	vars := variables(env)
	vars.set("CI_STEP_NAME", c.Name.value)
	vars.setNumber("CI_STEP_NUMBER", int64(number))
	for k, val := range c.Settings.values {
		env[k] = val
	}
	for k, val := range c.Environment.values {
		env[k] = val
	}
	return env
}

// hostOf returns the host of a URL without its port, or "".
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
