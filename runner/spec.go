package runner

import (
	"maps"
	"slices"
	"strconv"
	"strings"

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

// containerSpec describes the container of a step, save for the volume. failed
// are the steps of the job that have failed so far.
func (s *step) containerSpec(failed []string) (ContainerSpec, error) {
	j, plan := s.run.job, s.plan
	in, err := invoke(j.Workflow.Workspace, plan, j.Nonce)
	if err != nil {
		return ContainerSpec{}, err
	}
	spec := ContainerSpec{
		Name:        ContainerName(j.Server, j.ID, s.number, s.attempt),
		Labels:      j.labels(s.number),
		Image:       plan.Image,
		Entrypoint:  in.entrypoint,
		Cmd:         in.cmd,
		Env:         s.environment(in.script, failed),
		WorkingDir:  in.workingDir,
		Aliases:     []string{plan.Name},
		MountPath:   j.Workflow.Workspace.Base,
		User:        plan.User,
		Privileged:  plan.Privileged,
		Mounts:      j.mounts(plan),
		Devices:     plan.Devices,
		Tmpfs:       plan.Tmpfs,
		NetworkMode: plan.NetworkMode,
		ShmSize:     plan.ShmSize,
		Gate:        gated(plan),
	}
	spec.Isolation = j.Isolation
	spec.Limits, _ = lower(j.Limits, plan.Resources)
	if s.joinsSandbox() {
		spec.Sandbox = s.sandboxSpec().Name
	} else {
		spec.DNS, spec.DNSSearch, spec.ExtraHosts = plan.DNS, plan.DNSSearch, plan.ExtraHosts
	}
	return spec, nil
}

// mounts returns a step's mounts, those of the job's own volumes by the names
// that the engine knows.
func (j *Job) mounts(step *pipeline.Step) []pipeline.Mount {
	mounts := slices.Clone(step.Volumes)
	for i, m := range mounts {
		if m.Kind == pipeline.MountTemp {
			mounts[i].Source = TempVolumeName(j.Server, j.ID, m.Source)
		}
	}
	return mounts
}

// environment is what a container gets, sorted: what the runner knows, over it
// the workflow's and over that the step's own.
func (s *step) environment(script string, failed []string) []string {
	env := map[string]string{
		// The source belongs to root, whoever the image runs as.
		"GIT_CONFIG_COUNT":   "1",
		"GIT_CONFIG_KEY_0":   "safe.directory",
		"GIT_CONFIG_VALUE_0": "*",
	}
	maps.Copy(env, s.run.job.Workflow.Environment)
	status := "success"
	if len(failed) > 0 {
		status = "failure"
	}
	env["CI_STEP_NAME"], env["CI_STEP_NUMBER"] = s.plan.Name, strconv.Itoa(s.number)
	env["CI_PIPELINE_STATUS"] = status
	if _, ok := env["DRONE"]; ok { // the environment of a .drone.yml
		env["DRONE_BUILD_STATUS"], env["DRONE_STAGE_STATUS"] = status, status
		env["DRONE_STEP_NAME"], env["DRONE_STEP_NUMBER"] = s.plan.Name, strconv.Itoa(s.number)
		if len(failed) > 0 {
			env["DRONE_FAILED_STEPS"], env["DRONE_FAILED_STAGES"] = strings.Join(failed, ","), env["DRONE_STAGE_NAME"]
		}
	}
	if script != "" {
		env[scriptVariable] = script
	}
	maps.Copy(env, s.plan.Environment)
	s.plan.AddAliases(env) // of what the step makes of the variables
	list := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return list
}
