package pipeline

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const withSecrets = `
steps:
  - name: a
    image: x
    settings:
      token: {from_secret: token}
      list: [1.20, {from_secret: token}, "b,c"]
      deep: {auth: [{user: me, pass: {from_secret: pass}}], n: 5}
      lists: [[{from_secret: pass}]]
      plain: [a, b]
      hidden: {from_secret: token}
    environment:
      PASS: {from_secret: pass}
      PLUGIN_HIDDEN: seen
`

func TestSecretsStayNames(t *testing.T) {
	plan := mustPlan(t, withSecrets, trustedFacts())
	s := plan.Workflows[0].Steps[0]
	want := map[string]string{"PLUGIN_TOKEN": "token", "PASS": "pass"}
	if diff := cmp.Diff(want, s.Secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	templates := map[string]Template{
		"PLUGIN_LIST":  {Value: json.RawMessage(`["1.20",{"from_secret":"token"},"b,c"]`), Join: true},
		"PLUGIN_DEEP":  {Value: json.RawMessage(`{"auth":[{"pass":{"from_secret":"pass"},"user":"me"}],"n":5}`)},
		"PLUGIN_LISTS": {Value: json.RawMessage(`[[{"from_secret":"pass"}]]`)},
	}
	if diff := cmp.Diff(templates, s.Templates); diff != "" {
		t.Errorf("templates (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pass", "token"}, s.SecretNames()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// A plan that was stored resolves as the one that was made.
func TestResolve(t *testing.T) {
	data, err := json.Marshal(mustPlan(t, withSecrets, trustedFacts()))
	if err != nil {
		t.Fatal(err)
	}
	var plan Plan
	if err := json.Unmarshal(data, &plan); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"token": "t0ken", "pass": "a\"<\n>b"}
	step, values, err := plan.Workflows[0].Steps[0].Resolve(func(name string) (string, bool) {
		v, ok := secrets[name]
		return v, ok
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"CI_STEP_NAME": "a", "CI_STEP_NUMBER": "1", "PLUGIN_TOKEN": "t0ken", "PASS": "a\"<\n>b", "PLUGIN_HIDDEN": "seen",
		"PLUGIN_LIST": "1.20,t0ken,b,c", "PLUGIN_PLAIN": "a,b",
		"PLUGIN_DEEP": `{"auth":[{"pass":"a\"<\n>b","user":"me"}],"n":5}`, "PLUGIN_LISTS": `[["a\"<\n>b"]]`,
	}
	if diff := cmp.Diff(want, step.Environment); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	// What is to be masked, also as it looks inside JSON.
	if diff := cmp.Diff([]string{"a\"<\n>b", `a\"<\n>b`, "t0ken"}, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	delete(secrets, "pass")
	_, _, err = plan.Workflows[0].Steps[0].Resolve(func(name string) (string, bool) { v, ok := secrets[name]; return v, ok })
	if err == nil || !strings.Contains(err.Error(), "there is no secret `pass`") || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("a missing secret: %v", err)
	}
}

// Woodpecker and Drone look secrets up whatever their capitals; `secrets` is
// Woodpecker's older way.
func TestSecretsOfWoodpecker(t *testing.T) {
	text := oneStep("secrets: [TOKEN, {source: pass, target: db_pass}]\nenvironment: {A: {from_secret: Pass}}\ncommands: x")
	plan, err := Compile([]File{{Path: ".woodpecker.yml", Data: []byte(text)}}, trustedFacts())
	if err != nil {
		t.Fatal(lines(err))
	}
	if diff := cmp.Diff(map[string]string{"TOKEN": "token", "DB_PASS": "pass", "A": "pass"}, plan.Workflows[0].Steps[0].Secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if _, err := Compile(single(oneStep("environment: {A: {from_secret: Pass}}")), trustedFacts()); len(lines(err)) != 1 {
		t.Errorf("slipway's own file: %v", lines(err))
	}
}

func TestAnySecret(t *testing.T) {
	f := pushFacts()
	f.AnySecret = true
	w := mustCompile(t, oneStep("environment: {A: {from_secret: whatever}}"), f)
	if w.Steps[0].Secrets["A"] != "whatever" {
		t.Errorf("secrets are %v", w.Steps[0].Secrets)
	}
}

func TestFingerprintSeesSecrets(t *testing.T) {
	base := fingerprint(t, withSecrets, trustedFacts())
	for _, change := range [][2]string{{"PASS: {from_secret: pass}", "PASS: {from_secret: token}"}, {"pass: {from_secret: pass}", "pass: {from_secret: token}"}} {
		if fingerprint(t, strings.Replace(withSecrets, change[0], change[1], 1), trustedFacts()) == base {
			t.Errorf("%s is not seen", change[1])
		}
	}
}

func TestAddAliases(t *testing.T) {
	env := map[string]string{"CI_REPO": "octo/app", "CI_COMMIT_SHA": "abc", "DRONE_REPO": "mine", "CI_PIPELINE_STATUS": "failure"}
	(&Step{Kind: KindPlugin}).AddAliases(env)
	want := map[string]string{
		"CI_REPO": "octo/app", "CI_COMMIT_SHA": "abc", "CI_PIPELINE_STATUS": "failure", "DRONE_REPO": "mine",
		"DRONE_COMMIT": "abc", "DRONE_COMMIT_SHA": "abc", "DRONE_COMMIT_AFTER": "abc", "DRONE_BUILD_STATUS": "failure",
		"PULLREQUEST_DRONE_PULL_REQUEST": "0",
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("environment of a plugin (-want +got):\n%s", diff)
	}
	for _, s := range []*Step{{Kind: KindCommands, Commands: []string{"x"}}, {Kind: KindPlugin, Entrypoint: []string{"x"}}, {Kind: KindService}} {
		env := map[string]string{"CI_REPO": "octo/app"}
		if s.AddAliases(env); len(env) != 1 {
			t.Errorf("%+v gets %v", s, env)
		}
	}
	for drone, ours := range droneAliases {
		if _, ok := variableSet[ours]; !ok && !strings.HasPrefix(ours, "CI_STEP_") && ours != "CI_PIPELINE_STATUS" {
			t.Errorf("%s is made of %s, which is never set", drone, ours)
		}
	}
}
