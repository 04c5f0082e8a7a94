package pipeline

import (
	"strings"
	"testing"

	"github.com/drone/envsubst"
	"github.com/google/go-cmp/cmp"
)

// TestSubstitutesAsEnvsubst compares what becomes of a value with what envsubst
// makes of it, which Drone and Woodpecker run over the whole file.
func TestSubstitutesAsEnvsubst(t *testing.T) {
	vars := map[string]string{"DRONE_TAG": "v1.2.3", "DRONE_BRANCH": "feature/x", "DRONE_COMMIT": "0123456789abcdef", "EMPTY": ""}
	for _, in := range []string{
		"plain", "$DRONE_TAG", "$(id) `id` $1 $?", "${DRONE_TAG}", "x${DRONE_TAG}y${DRONE_BRANCH}z",
		"${HOME}", "[${UNKNOWN}]", "${UNKNOWN:-none}", "${EMPTY:-none}", "${UNKNOWN=none}", "${UNKNOWN-}",
		"${DRONE_COMMIT:0:8}", "${DRONE_COMMIT:4}", "${#DRONE_COMMIT}", "${DRONE_TAG##v}", "${DRONE_TAG#v}",
		"${DRONE_TAG%.*}", "${DRONE_TAG%%.*}", "${DRONE_BRANCH/feature/fix}", "${DRONE_BRANCH//[/]/-}",
		"${DRONE_BRANCH^^}", "${DRONE_BRANCH^}", "${DRONE_BRANCH,,}", "${DRONE_TAG:-${DRONE_COMMIT:0:8}}",
		"${DRONE_TAG:=${DRONE_BRANCH}}", "$${DRONE_TAG}", "$$${DRONE_TAG}", "$$$${DRONE_TAG}", "a$$b", "$$", "$$$",
		`a\/b`, `a\\b`, `\n`, `\$`, `C:\dir`, `${DRONE_BRANCH/\//-}`, `${DRONE_BRANCH/feature\/x/y}`,
		// More of its operators, and of their oddities.
		"${UNKNOWN:=none}", "${DRONE_TAG:+set}", "${UNKNOWN:+set}", "${UNKNOWN:?gone}", "${DRONE_TAG:?gone}", "${DRONE_TAG=none}",
		"${DRONE_COMMIT:0}", "${DRONE_COMMIT:20}", "${DRONE_COMMIT:0:99}", "${DRONE_COMMIT:x:y}", "${DRONE_COMMIT: -4}", "${#UNKNOWN}", "${#}",
		"${DRONE_TAG#*.}", "${DRONE_TAG##*.}", "${DRONE_TAG%%.}", "${DRONE_TAG#[a-z]}", "${DRONE_TAG%?}", "${DRONE_BRANCH#*/}",
		"${DRONE_BRANCH/x/}", "${DRONE_BRANCH//e/}", "${DRONE_BRANCH/#feature/f}", "${DRONE_BRANCH/%x/y}", "${DRONE_BRANCH/nothing/y}",
		"${DRONE_BRANCH/x}", "${DRONE_BRANCH/${DRONE_BRANCH}/all}", "${DRONE_BRANCH,}", "${UNKNOWN:-a b}", "${UNKNOWN:-a:b}", "${UNKNOWN:-}",
		"${UNKNOWN:-$HOME}", "${UNKNOWN:-\\}}", "${UNKNOWN:-{}}", "${UNKNOWN:-a}b}", "${A}${B}", "{${DRONE_TAG}}", "${DRONE_TAG}}", "}${DRONE_TAG}",
		"${ DRONE_TAG }", "${DRONE_TAG }", "${DRONE-TAG}", "${1}", "${_}", "${drone_tag}", "${}", "${{x}}", "${a[0]}", "${!DRONE_TAG}", "${DRONE_TAG@Q}",
		"${UNKNOWN:-${DRONE_TAG##v}}", "${UNKNOWN:-${EMPTY:-${DRONE_BRANCH//\\//-}}}", "$ {DRONE_TAG}", "$$$$$", "$$ ${DRONE_TAG} $$", "\n${DRONE_TAG}\n", "ü${DRONE_TAG}ß",
		`\\/`, `\${DRONE_TAG}`, `a\`, `\\\/`, `s/a\/b/c/`,
	} {
		t.Run(in, func(t *testing.T) {
			want, err := envsubst.Eval(in, func(name string) string { return vars[name] })
			for _, dialect := range []dialect{drone, woodpecker} {
				got, faults := newSubstituter(vars, dialect).expand(in, plain, false)
				switch {
				case err != nil && len(faults) == 0:
					t.Errorf("%v: got %q, envsubst fails: %v", dialect, got, err)
				case err == nil && (got != want || len(faults) > 0):
					t.Errorf("%v: got %q, %v; envsubst makes it %q", dialect, got, faults, want)
				}
			}
		})
	}
}

// The text of a file is one thing, what strangers put into variables another.
func TestDroneSubstituteInjectsNothing(t *testing.T) {
	const command = `echo "${DRONE_COMMIT_MESSAGE}" ${DRONE_BRANCH//x/y} ${DRONE_PULL_REQUEST_TITLE:-none}`
	for _, value := range hostile {
		t.Run(value, func(t *testing.T) {
			f := pullRequestFacts()
			f.Commit.Message, f.Commit.Branch, f.PullRequest.Title = value, value, value
			text := "kind: pipeline\n" + oneStep("commands: ['"+command+"']\nenvironment: {M: '${DRONE_COMMIT_MESSAGE}'}\nsettings: {m: ['${DRONE_COMMIT_MESSAGE}']}")
			w := mustDrone(t, text, f).Workflows[0]
			if diff := cmp.Diff([]string{command}, w.Steps[0].Commands); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			for _, name := range []string{"M", "PLUGIN_M"} {
				if got := w.Steps[0].Environment[name]; got != value {
					t.Errorf("%s is %q", name, got)
				}
			}
		})
	}
}

func TestDroneSubstituteFaults(t *testing.T) {
	_, err := Compile(droneFiles(droneStepWith("commands: ['echo ${DRONE_TAG-x} ${a[0]}']")), pushFacts())
	got := lines(err)
	if len(got) == 0 || !strings.HasPrefix(got[0], ".drone.yml:6:16: `${") || !strings.Contains(got[0], "cannot be replaced") {
		t.Errorf("got %v", got)
	}
	w := mustDrone(t, droneStepWith("commands: ['echo ${HOME} $${HOME} ${DRONE_TAG:-none}']"), pushFacts()).Workflows[0]
	if diff := cmp.Diff([]string{"echo  ${HOME} none"}, w.Steps[0].Commands); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}
