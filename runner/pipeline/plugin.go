package pipeline

import "strings"

// droneAliases are the variables under whose names plugin images, most of which
// were written for Drone, look for ours: Drone's name and ours.
var droneAliases = aliasesOf(`
	DRONE_BRANCH=CI_COMMIT_BRANCH DRONE_PULL_REQUEST=CI_COMMIT_PULL_REQUEST
	PULLREQUEST_DRONE_PULL_REQUEST=CI_COMMIT_PULL_REQUEST DRONE_TAG=CI_COMMIT_TAG
	DRONE_SOURCE_BRANCH=CI_COMMIT_SOURCE_BRANCH DRONE_TARGET_BRANCH=CI_COMMIT_TARGET_BRANCH
	DRONE_BUILD_NUMBER=CI_PIPELINE_NUMBER DRONE_BUILD_PARENT=CI_PIPELINE_PARENT
	DRONE_BUILD_EVENT=CI_PIPELINE_EVENT DRONE_BUILD_LINK=CI_PIPELINE_URL
	DRONE_BUILD_STATUS=CI_PIPELINE_STATUS DRONE_BUILD_CREATED=CI_PIPELINE_CREATED DRONE_BUILD_STARTED=CI_PIPELINE_STARTED
	DRONE_DEPLOY_TO=CI_PIPELINE_DEPLOY_TARGET
	DRONE_COMMIT=CI_COMMIT_SHA DRONE_COMMIT_SHA=CI_COMMIT_SHA DRONE_COMMIT_AFTER=CI_COMMIT_SHA
	DRONE_COMMIT_BEFORE=CI_PREV_COMMIT_SHA DRONE_COMMIT_REF=CI_COMMIT_REF
	DRONE_COMMIT_BRANCH=CI_COMMIT_BRANCH DRONE_COMMIT_LINK=CI_COMMIT_URL
	DRONE_COMMIT_MESSAGE=CI_COMMIT_MESSAGE DRONE_COMMIT_AUTHOR=CI_COMMIT_AUTHOR
	DRONE_COMMIT_AUTHOR_NAME=CI_COMMIT_AUTHOR DRONE_COMMIT_AUTHOR_EMAIL=CI_COMMIT_AUTHOR_EMAIL
	DRONE_COMMIT_AUTHOR_AVATAR=CI_COMMIT_AUTHOR_AVATAR
	DRONE_REPO=CI_REPO DRONE_REPO_SCM=CI_REPO_SCM DRONE_REPO_OWNER=CI_REPO_OWNER
	DRONE_REPO_NAMESPACE=CI_REPO_OWNER DRONE_REPO_NAME=CI_REPO_NAME DRONE_REPO_LINK=CI_REPO_URL
	DRONE_REPO_BRANCH=CI_REPO_DEFAULT_BRANCH DRONE_REPO_PRIVATE=CI_REPO_PRIVATE
	DRONE_REMOTE_URL=CI_REPO_CLONE_URL DRONE_GIT_HTTP_URL=CI_REPO_CLONE_URL
	DRONE_GIT_SSH_URL=CI_REPO_CLONE_SSH_URL DRONE_SYSTEM_HOST=CI_SYSTEM_HOST
	DRONE_STEP_NAME=CI_STEP_NAME DRONE_STEP_NUMBER=CI_STEP_NUMBER DRONE_WORKSPACE=CI_WORKSPACE`)

// noPullRequest is where plugins/manifest wants a number even if there is none.
const noPullRequest = "PULLREQUEST_DRONE_PULL_REQUEST"

func aliasesOf(pairs string) map[string]string {
	m := map[string]string{}
	for _, p := range strings.Fields(pairs) {
		drone, ours, _ := strings.Cut(p, "=")
		m[drone] = ours
	}
	return m
}

// Plugin reports whether the step is a plugin: its image's own program runs,
// and is told by settings what to do.
func (s *Step) Plugin() bool {
	return s.Kind == KindPlugin && len(s.Commands) == 0 && len(s.Entrypoint) == 0 && len(s.Args) == 0
}

// AddAliases adds to env, the whole environment of the step's container, what
// the images of plugins look for under Drone's names. What env has already is
// kept. It does nothing for a step that is no plugin.
func (s *Step) AddAliases(env map[string]string) {
	if !s.Plugin() {
		return
	}
	add := func(name, value string) {
		if _, ok := env[name]; !ok && value != "" {
			env[name] = value
		}
	}
	for drone, ours := range droneAliases {
		add(drone, env[ours])
	}
	add(noPullRequest, "0")
}
