package pipeline

import "testing"

// FuzzDrone checks of Drone's files what FuzzCompile does of ours.
func FuzzDrone(f *testing.F) {
	for _, text := range seeds(f, "testdata/drone/*.yml") {
		f.Add(text, "v1.2.3-rc.1+5")
	}
	for _, value := range hostile {
		f.Add(droneStepWith("commands: ['${DRONE_TAG}']\nsettings: {a: '${DRONE_TAG/a/b}', b: \"${DRONE_SEMVER_ERROR:3}\"}"), value)
	}
	f.Add("kind: pipeline\n---\n--- ~\n---\nkind: &k pipeline\nname: *k\nsteps: [*k]\n...\n", "2026.1")
	f.Add("<<: {kind: pipeline, type: docker}\nworkspace: {path: //}\nvolumes: {a: {temp: }}\nsteps: {a: {image: x, volumes: {b: {name: a, path: /}}}}", "")
	f.Fuzz(func(t *testing.T, text, tag string) {
		if len(text) > 1<<14 {
			return // large files are TestDroneBounds' business
		}
		facts := tagFacts()
		facts.Commit.Tag, facts.Commit.Ref = tag, "refs/tags/"+tag
		plan, err := Compile(droneFiles(text), facts)
		if err != nil {
			checkProblems(t, err, text)
			return
		}
		names := map[string]bool{}
		for _, w := range plan.Workflows {
			if names[w.Name] || w.Workspace.Base == "" {
				t.Errorf("workflow is %+v", w)
			}
			names[w.Name] = true
			checkPlan(t, &Plan{Workflows: []Workflow{w}})
		}
	})
}
