package pipeline

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// droneVariablesOf returns what of the environment has Drone's names.
func droneVariablesOf(t *testing.T, f Facts) map[string]string {
	t.Helper()
	got := map[string]string{}
	for name, value := range mustDrone(t, droneStepWith(""), f).Workflows[0].Environment {
		if name == "CI" || strings.HasPrefix(name, "DRONE") || strings.HasPrefix(name, "GIT_") {
			got[name] = value
		}
	}
	return got
}

func TestDroneVariables(t *testing.T) {
	common := map[string]string{
		"CI": "true", "DRONE": "true",
		"DRONE_SYSTEM_PROTO": "https", "DRONE_SYSTEM_HOST": "ci.example.com", "DRONE_SYSTEM_HOSTNAME": "ci.example.com", "DRONE_SYSTEM_VERSION": "1.2.3",
		"DRONE_REPO": "octo/app", "DRONE_REPO_SCM": "git", "DRONE_REPO_OWNER": "octo", "DRONE_REPO_NAMESPACE": "octo", "DRONE_REPO_NAME": "app",
		"DRONE_REPO_LINK": "https://github.com/octo/app", "DRONE_REPO_BRANCH": "main", "DRONE_REPO_PRIVATE": "false", "DRONE_REPO_VISIBILITY": "public",
		"DRONE_REMOTE_URL": "https://github.com/octo/app.git", "DRONE_GIT_HTTP_URL": "https://github.com/octo/app.git", "DRONE_GIT_SSH_URL": "git@github.com:octo/app.git",
		"DRONE_COMMIT": "0123456789abcdef0123456789abcdef01234567", "DRONE_COMMIT_SHA": "0123456789abcdef0123456789abcdef01234567",
		"DRONE_COMMIT_AFTER": "0123456789abcdef0123456789abcdef01234567", "DRONE_COMMIT_MESSAGE": "Fix it", "DRONE_COMMIT_LINK": "https://github.com/c",
		"DRONE_COMMIT_AUTHOR": "mona", "DRONE_COMMIT_AUTHOR_NAME": "mona", "DRONE_COMMIT_AUTHOR_EMAIL": "mona@example.com", "DRONE_COMMIT_AUTHOR_AVATAR": "https://a",
		"DRONE_BUILD_NUMBER": "12", "DRONE_BUILD_PARENT": "11", "DRONE_BUILD_STATUS": "success", "DRONE_BUILD_DEBUG": "false", "DRONE_BUILD_TRIGGER": "@hook",
		"DRONE_BUILD_LINK": "https://ci.example.com/octo/app/12", "DRONE_BUILD_CREATED": "1700000000", "DRONE_BUILD_STARTED": "1700000009",
		"DRONE_STAGE_KIND": "pipeline", "DRONE_STAGE_TYPE": "docker", "DRONE_STAGE_NAME": "default", "DRONE_STAGE_NUMBER": "1", "DRONE_STAGE_STATUS": "success",
		"DRONE_BUILD_FINISHED": "0", "DRONE_STAGE_FINISHED": "0", "DRONE_STAGE_MACHINE": "ci.example.com",
		"DRONE_RUNNER_HOST": "ci.example.com", "DRONE_RUNNER_HOSTNAME": "ci.example.com", "DRONE_RUNNER_PLATFORM": "linux/arm/v7",
		"DRONE_STAGE_STARTED": "1700000009", "DRONE_STAGE_OS": "linux", "DRONE_STAGE_ARCH": "arm", "DRONE_STAGE_VARIANT": "v7",
		"DRONE_WORKSPACE": "/drone/src", "DRONE_WORKSPACE_BASE": "/drone/src",
		"GIT_AUTHOR_NAME": "mona", "GIT_AUTHOR_EMAIL": "mona@example.com", "GIT_COMMITTER_NAME": "mona", "GIT_COMMITTER_EMAIL": "mona@example.com", "GIT_TERMINAL_PROMPT": "0",
	}
	branch := func(target, source, ref, event string) map[string]string {
		return map[string]string{
			"DRONE_BRANCH": target, "DRONE_TARGET_BRANCH": target, "DRONE_COMMIT_BRANCH": target, "DRONE_SOURCE_BRANCH": source,
			"DRONE_COMMIT_REF": ref, "DRONE_BUILD_EVENT": event,
		}
	}
	with := func(m map[string]string, more ...string) map[string]string {
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	tests := map[EventKind]map[string]string{
		EventPush:        with(branch("main", "main", "refs/heads/main", "push"), "DRONE_BUILD_ACTION", "create"),
		EventPullRequest: with(branch("main", "mend", "refs/pull/3/head", "pull_request"), "DRONE_BUILD_ACTION", "synchronized", "DRONE_PULL_REQUEST", "3", "DRONE_PULL_REQUEST_TITLE", "Mend"),
		EventDeployment:  with(branch("main", "main", "refs/heads/main", "promote"), "DRONE_DEPLOY_TO", "production", "DRONE_DEPLOY_ID", "5"),
		EventCron:        with(branch("main", "main", "refs/heads/main", "cron"), "DRONE_BUILD_TRIGGER", "@cron"),
		EventManual:      with(branch("main", "main", "refs/heads/main", "custom"), "DRONE_BUILD_TRIGGER", "mona"),
		EventTag: {
			"DRONE_COMMIT_REF": "refs/tags/v1.0.0", "DRONE_BUILD_EVENT": "tag", "DRONE_BUILD_ACTION": "create", "DRONE_TAG": "v1.0.0",
			"DRONE_SEMVER": "1.0.0", "DRONE_SEMVER_SHORT": "1.0.0", "DRONE_SEMVER_MAJOR": "1", "DRONE_SEMVER_MINOR": "0", "DRONE_SEMVER_PATCH": "0",
		},
	}
	for kind, own := range tests {
		t.Run(string(kind), func(t *testing.T) {
			f := factsOf(kind)
			f.Repo.CloneSSHURL = "git@github.com:octo/app.git"
			f.Commit.URL, f.Commit.AvatarURL = "https://github.com/c", "https://a"
			f.Build.Parent, f.Build.Started = 11, time.Unix(1700000009, 0)
			f.System.Platform = "linux/arm/v7"
			want := maps.Clone(common)
			maps.Copy(want, own)
			if diff := cmp.Diff(want, droneVariablesOf(t, f)); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDroneVariablesOfPrivateRepository(t *testing.T) {
	f := pushFacts()
	f.Repo.Private, f.Commit.Before, f.Commit.Author, f.Commit.AuthorEmail = true, "abc", "", ""
	got := droneVariablesOf(t, f)
	want := map[string]string{
		"DRONE_REPO_PRIVATE": "true", "DRONE_REPO_VISIBILITY": "private", "DRONE_COMMIT_BEFORE": "abc", "DRONE_BUILD_ACTION": "",
		"GIT_AUTHOR_NAME": "drone", "GIT_COMMITTER_EMAIL": "noreply@drone", "DRONE_BUILD_STARTED": "1700000000", "DRONE_BUILD_PARENT": "0",
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestDroneVersions(t *testing.T) {
	tests := map[string]map[string]string{
		"1.2.3":                    {"": "1.2.3", "SHORT": "1.2.3", "MAJOR": "1", "MINOR": "2", "PATCH": "3"},
		"v1.2.3-rc.1":              {"": "1.2.3-rc.1", "SHORT": "1.2.3", "MAJOR": "1", "MINOR": "2", "PATCH": "3", "PRERELEASE": "rc.1"},
		"v1.2.3+b.5":               {"": "1.2.3+b.5", "SHORT": "1.2.3", "MAJOR": "1", "MINOR": "2", "PATCH": "3", "BUILD": "b.5"},
		"v0.1.2-a+b":               {"": "0.1.2-a+b", "SHORT": "0.1.2", "MAJOR": "0", "MINOR": "1", "PATCH": "2", "PRERELEASE": "a", "BUILD": "b"},
		"nightly":                  {"ERROR": "nightly is not a semantic version"},
		"1.2":                      {"ERROR": "1.2 is not a semantic version"},
		"99999999999999999999.0.0": {"ERROR": "99999999999999999999 is out of range"},
	}
	for tag, want := range tests {
		v := variables{}
		v.setSemver(tag)
		if diff := cmp.Diff(withPrefix("DRONE_SEMVER", want), v); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tag, diff)
		}
	}
	calvers := map[string]map[string]string{
		"2026.11":       {"": "2026.11", "SHORT": "2026.11", "MAJOR": "2026", "MINOR": "11", "MAJOR_MINOR": "2026.11"},
		"v26.1.3-rc1":   {"": "26.1.3-rc1", "SHORT": "26.1.3", "MAJOR": "26", "MINOR": "1", "MICRO": "3", "MAJOR_MINOR": "26.1", "MODIFIER": "rc1"},
		"2026.01.02.03": {"": "2026.01.02.03", "SHORT": "2026.01.02.03", "MAJOR": "2026", "MINOR": "01", "MICRO": "02.03", "MAJOR_MINOR": "2026.01"},
		"v1.2.3":        {}, "2018.1": {}, "18.04": {}, "2026": {}, "2026.x": {}, "9999.1": {},
	}
	for tag, want := range calvers {
		v := variables{}
		v.setCalver(tag)
		if diff := cmp.Diff(withPrefix("DRONE_CALVER", want), v); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tag, diff)
		}
	}
}

// withPrefix puts a prefix before names; the empty one is the prefix alone.
func withPrefix(prefix string, m map[string]string) variables {
	out := variables{}
	for name, value := range m {
		out[strings.TrimSuffix(prefix+"_"+name, "_")] = value
	}
	return out
}
