package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDroneProblems(t *testing.T) {
	const (
		head  = "kind: pipeline\n"
		steps = "steps: [{name: a, image: 'x:1', commands: y}]\n"
	)
	tests := []struct {
		name, text string
		want       []string // without the file's name
	}{
		{"empty", "", []string{"is empty; add `steps:` with a name, an image and commands"}},
		{"no document", "---\n---\n", []string{"has no pipeline; add a document with `kind: pipeline`, `type: docker` and steps"}},
		{"no pipeline", "kind: signature\nhmac: x\n", []string{"has no pipeline; add a document with `kind: pipeline`, `type: docker` and steps"}},
		{"no kind", "pipeline: {build: {image: go}}\n", []string{
			"1:1: the document has no `kind`; write `kind: pipeline` and `type: docker`; files of Drone 0.8 must be converted first"}},
		{"another kind", head + steps + "---\nkind: template\nload: a.star\n", []string{
			"4:7: the kind `template` is not supported; `pipeline`, `secret` and `signature` are"}},
		{"another type", head + "type: exec\n" + steps, []string{
			"2:7: pipelines of the type `exec` are not supported; write `type: docker`: all steps run in containers"}},
		{"no map", "- a\n", []string{"1:1: a pipeline must be a map, this is a list"}},
		{"one name twice", head + steps + "---\n" + head + "name: default\n" + steps, []string{
			"5:7: the pipeline `default` stands here twice, first on line 1; give one of the two another name"}},
		{"name with a space at its end", head + "name: 'a '\n" + steps, []string{
			"2:7: the name `a ` of the pipeline begins or ends with a space; rename it"}},
		{"no steps", head, []string{"1:1: the workflow has no steps; add `steps:` with a name, an image and commands"}},
		{"depends on nothing known", head + "depends_on: [bild]\n" + steps + "---\n" + head + "name: build\n" + steps, []string{
			"2:14: there is no workflow `bild` to depend on; did you mean `build`?"}},
		{"depends on what cannot run", head + "depends_on: [win]\n" + steps + "---\n" + head + "name: win\ntype: ssh\n" + steps, []string{
			"7:7: pipelines of the type `ssh` are not supported; write `type: docker`: all steps run in containers"}},
		{"cycle", head + "depends_on: [b]\n" + steps + "---\n" + head + "name: b\ndepends_on: [default]\n" + steps, []string{
			"2:14: workflows wait for each other: default → b → default; remove one of these dependencies"}},
		{"unknown trigger", head + "trigger: {brnch: main}\n" + steps, []string{
			"2:11: `brnch` is not a key of `trigger`; did you mean `branch`?"}},
		{"unknown condition", head + oneStep("when: {brnch: main}"), []string{
			"5:12: `brnch` is not a key of `when`; did you mean `branch`?"}},
		{"list of conditions", head + oneStep("when: [{branch: main}]"), []string{
			"5:11: `when` must be a map, this is a list"}},
		{"failure", head + oneStep("failure: ignored"), []string{
			"5:14: `failure` cannot be `ignored`; did you mean `ignore`?"}},
		{"unknown volume", head + "volumes: [{name: cache, temp: {}}]\n" + oneStep("volumes: [{name: cash, path: /c}]"), []string{
			"6:22: the pipeline has no volume `cash`; known are `cache`"}},
		{"no volumes at all", head + oneStep("volumes: [{name: cash, path: /c}]"), []string{
			"5:22: the pipeline has no volume `cash`; add it to the `volumes` of the pipeline"}},
		{"volume of another kind", head + "volumes: [{name: c, claim: {name: c}}]\n" + steps, []string{
			"2:11: the volume `c` is of no kind that is supported; give it `host: {path: …}` or `temp: {}`"}},
		{"volume without a name", head + "volumes: [{temp: {}}]\n" + steps, []string{
			"2:11: a volume has no name; add `name:`; the steps mount the volume by it"}},
		{"relative host path", head + "volumes: [{name: c, host: {path: tmp}}]\n" + steps, []string{
			"2:34: `path` of a host volume must be an absolute path; write for example `/var/cache`"}},
		{"medium", head + "volumes: [{name: c, temp: {medium: ram}}]\n" + steps, []string{
			"2:36: `medium` cannot be `ram`; write `memory`, or remove it"}},
		{"relative mount", head + "volumes: [{name: c, temp: {}}]\n" + oneStep("volumes: [{name: c, path: c}]"), []string{
			"6:31: `path` must be an absolute path in the container; write for example `/cache`"}},
		{"mount that is a word", head + oneStep("volumes: ['/a:/b']"), []string{
			"5:15: a volume must be a map, this is a single value; write `{name: …, path: …}` with the name of one of the pipeline's volumes"}},
		{"device that is none", head + "volumes: [{name: c, temp: {}}]\n" + oneStep("devices: [{name: c, path: /dev/c}]"), []string{
			"6:15: the volume `c` is not a device of the machine; give it `host: {path: …}` with the path of the device"}},
		{"little memory", head + oneStep("mem_limit: 5m"), []string{
			"5:16: is too little memory for a container; give it at least 6MiB"}},
		{"workspace", head + "workspace: {base: go}\n" + steps, []string{
			"2:19: the workspace must be an absolute path below /, this is `go`; write for example `/drone/src`"}},
		{"workspace that leads out", head + "workspace: {path: ../x}\n" + steps, []string{
			"2:19: `path` must lead to a folder in `base`, this is `../x`; write for example `src`"}},
		{"secret of the pipeline", head + "environment: {A: {from_secret: token}}\n" + steps, []string{
			"2:18: secrets cannot stand in the `environment` of a pipeline; name them in the steps that need them"}},
		{"unknown secret", head + oneStep("environment: {A: {from_secret: tocken}}"), []string{
			"5:36: there is no secret `tocken` for this event; did you mean `token`?"}},
		{"several documents in one pass", head + "trigger: {brnch: main}\n" + steps + "---\n" + head + "name: b\n" + oneStep("failure: no"), []string{
			"2:11: `brnch` is not a key of `trigger`; did you mean `branch`?",
			"10:14: `failure` cannot be `no`; known are `always`, `fail-fast`, `ignore`",
		}},
		{"syntax of a later document", head + steps + "---\nsteps: @a\n", []string{
			"4:8: is not valid YAML: while scanning for the next token, found character that cannot start any token; put a value that begins with `@` into quotes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := pushFacts()
			f.Secrets = []string{"token"}
			_, err := Compile(droneFiles(tt.text), f)
			if diff := cmp.Diff(tt.want, withoutFile(lines(err))); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func withoutFile(problems []string) []string {
	var out []string
	for _, p := range problems {
		out = append(out, strings.TrimPrefix(strings.TrimPrefix(p, ".drone.yml:"), " "))
	}
	return out
}

func TestDroneWarnings(t *testing.T) {
	text := `kind: pipeline
resourcez: {requests: {cpu: 1}}
clone: {retries: 3}
platform: {os: linux, version: 5}
trigger: {event: [push, deployment], status: [success, changed]}
image_pull_secrets: [registry]
steps:
- name: a
  image: x:1
  pull: true
  entrypoint: [sh]
  command: [-x]
  commands: [y]
  settings: {k: v}
  memswap_limit: 1gb
  privileg: true
services:
- {name: s, image: 'y:1', depends_on: [a], ports: [80]}
---
kind: secret
name: token
data: x
---
kind: secret
name: other
get: {path: a, name: b}
`
	f := pushFacts()
	f.Secrets = []string{"TOKEN"}
	plan := mustDrone(t, text, f)
	want := []string{
		"2:1: `resourcez` is not a key of a pipeline; known are `clone`, `concurrency`, `depends_on`, `environment`, `image_pull_secrets`, `kind`, `name`, `node`, `platform`, `services`, `steps`, `trigger`, `type`, `version`, `volumes`, `workspace`",
		"3:18: this option of `clone` has no effect; slipway fetches the source itself",
		"4:32: the version of the platform has no effect; remove it: it concerns Windows only",
		"5:25: `deployment` is not an event; known are `cron`, `custom`, `promote`, `pull_request`, `push`, `rollback`, `tag`",
		"5:56: `changed` is not an outcome; known are `failure`, `success`",
		"6:22: the registry credentials in `registry` are not used yet; images that need them must be on the machine already",
		"10:9: `pull` cannot be `true`; known are `always`, `if-not-exists`, `never`",
		"11:15: `entrypoint` has no effect beside `commands`; remove one of them",
		"12:12: `command` has no effect beside `commands`; remove one of them",
		"15:18: this limit has no effect; the server sets it; `mem_limit` is heeded",
		"16:3: `privileg` is not a key of a step; did you mean `privileged`?",
		"18:39: `depends_on` of a service has no effect; services start before all steps",
		"18:44: `ports` is not a key of a service",
		"25:7: the secret `other` cannot be read from the file; add it to the secrets of the repository",
	}
	if diff := cmp.Diff(want, withoutFile(lines(plan.Warnings))); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	step := plan.Workflows[0].Steps[0]
	if len(step.Entrypoint) > 0 || len(step.Args) > 0 || step.Pull != PullIfNotPresent || step.Environment["PLUGIN_K"] != "v" {
		t.Errorf("step is %+v", step)
	}
}

// The documents of a file have one budget together, and tell no more problems
// than one; the errors among them are never crowded out.
func TestDroneBounds(t *testing.T) {
	var many, loud strings.Builder
	for i := range 90 {
		fmt.Fprintf(&many, "---\nkind: pipeline\nname: p%d\nx: &a%d [%s]\nsteps:\n- {name: a, image: b, settings: {k: [%s]}}\n", i, i, strings.Repeat("x,", 900), strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 400), ","))
		fmt.Fprintf(&loud, "---\nkind: pipeline\nname: p%d\n%ssteps: [{name: a, image: 'b:1'}]\n", i, numbered("unknown%d: 1\n", 20))
	}
	loud.WriteString("---\nkind: pipeline\nsteps: [{name: a, image: 'b:1', failure: no}]\n")
	_, err := Compile(droneFiles(many.String()), pushFacts())
	if got := lines(err); len(got) == 0 || len(got) > maxProblems+1 || !strings.Contains(got[0], "stands for too much") {
		t.Errorf("many: got %d problems, %.200v", len(got), got)
	}
	_, err = Compile(droneFiles(loud.String()), pushFacts())
	if got := lines(err); len(got) != 1 || !strings.Contains(got[0], "`failure` cannot be `no`") {
		t.Errorf("loud: got %v", got)
	}
	_, err = Compile(droneFiles(strings.Repeat("---\nkind: signature\n", MaxFiles+1)), pushFacts())
	want := []string{".drone.yml:201:1: has more than 100 YAML documents; merge some of them"}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Errorf("documents (-want +got):\n%s", diff)
	}
}

func TestDroneFileIsListedOnce(t *testing.T) {
	plan := mustDrone(t, droneStepWith("")+"---\nname: b\n"+droneStepWith(""), pushFacts())
	if diff := cmp.Diff([]string{".drone.yml"}, plan.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(plan.Workflows) != 2 || plan.Workflows[1].Name != "b" {
		t.Errorf("workflows are %+v", plan.Workflows)
	}
}
