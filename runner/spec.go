package runner

import (
	"maps"
	"slices"
	"strconv"

	"github.com/slipway-ci/slipway/runner/pipeline"
)

// labels returns what a thing of the job carries; step 0 is the job itself.
func (j *Job) labels(step int) map[string]string {
	l := maps.Clone(j.Labels)
	if l == nil {
		l = map[string]string{}
	}
	l[LabelServer], l[LabelJob] = j.Server, j.ID
	if step > 0 {
		l[LabelStep] = strconv.Itoa(step)
	}
	return l
}

// containerSpec describes the container of a step. failed is whether a step of
// the job has failed so far.
func (j *Job) containerSpec(number, attempt int, failed bool) (ContainerSpec, error) {
	step := j.Step(number)
	in, err := invoke(j.Workflow.Workspace, step, j.Nonce)
	if err != nil {
		return ContainerSpec{}, err
	}
	return ContainerSpec{
		Name:       ContainerName(j.Server, j.ID, number, attempt),
		Labels:     j.labels(number),
		Image:      step.Image,
		Entrypoint: in.entrypoint,
		Cmd:        in.cmd,
		Env:        j.environment(step, number, in.script, failed),
		WorkingDir: in.workingDir,
		NetworkID:  NetworkName(j.Server, j.ID), // it may still be on its way
		Aliases:    []string{step.Name},
		MountPath:  j.Workflow.Workspace.Base,
		Limits:     j.Limits,
	}, nil
}

// environment is what a container gets, sorted: what the runner knows, over it
// the workflow's and over that the step's own.
func (j *Job) environment(step *pipeline.Step, number int, script string, failed bool) []string {
	env := map[string]string{
		// The source belongs to root, whoever the image runs as.
		"GIT_CONFIG_COUNT":   "1",
		"GIT_CONFIG_KEY_0":   "safe.directory",
		"GIT_CONFIG_VALUE_0": "*",
	}
	maps.Copy(env, j.Workflow.Environment)
	status := "success"
	if failed {
		status = "failure"
	}
	env["CI_STEP_NAME"], env["CI_STEP_NUMBER"] = step.Name, strconv.Itoa(number)
	env["CI_PIPELINE_STATUS"] = status
	if _, ok := env["DRONE"]; ok { // the environment of a .drone.yml
		env["DRONE_BUILD_STATUS"], env["DRONE_STEP_NAME"] = status, step.Name
	}
	step.AddAliases(env)
	if script != "" {
		env[scriptVariable] = script
	}
	maps.Copy(env, step.Environment)
	list := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return list
}
