package runnertest

import (
	"testing"

	"github.com/slipway-ci/slipway/runner"
)

// Conformance is the suite that every Engine passes which runs real containers:
// Lifecycle and Execution. newEngine is called for each test; the engines that
// it returns may be one. image has a shell and busybox's applets.
//
// Nothing is left behind: what a test makes carries a random LabelServer, by
// which it is listed and removed at the test's end.
func Conformance(t *testing.T, newEngine func(*testing.T) runner.Engine, image string) {
	Lifecycle(t, newEngine, image)
	Execution(t, newEngine, image)
}

// Lifecycle is what every Engine passes, one that only pretends included (see
// Scripts): what becomes of containers, and their output.
func Lifecycle(t *testing.T, newEngine func(*testing.T) runner.Engine, image string) {
	run(t, newEngine, image, map[string]func(*rig){
		"CreateIsIdempotent":     createIsIdempotent,
		"CreateConflict":         createConflict,
		"NotFound":               notFound,
		"States":                 states,
		"ExitCodes":              exitCodes,
		"EndsByItself":           endsByItself,
		"OutputOfBothStreams":    outputOfBothStreams,
		"OutputOfFastWriter":     outputOfFastWriter,
		"OutputOfLongLine":       outputOfLongLine,
		"OutputEndsWithContext":  outputEndsWithContext,
		"OutputEndsWithClose":    outputEndsWithClose,
		"OutputEndsWithWriter":   outputEndsWithWriter,
		"LogsFollow":             logsFollow,
		"LogsTellTimes":          logsTellTimes,
		"RunsOnce":               runsOnce,
		"FillVolume":             fillVolume,
		"SandboxHoldsContainers": sandboxHoldsContainers,
		"SandboxIsAResource":     sandboxIsAResource,
		"CreateBeforeNetwork":    createBeforeNetwork,
		"GateHolds":              gateHolds,
		"GateIsClosedByStop":     gateIsClosedByStop,
		"VolumeIsShared":         volumeIsShared,
		"WaitEndsWithContext":    waitEndsWithContext,
		"StopWithGrace":          stopWithGrace,
		"StopKillsAfterGrace":    stopKillsAfterGrace,
		"StopAtOnce":             stopAtOnce,
		"StopWhatDoesNotRun":     stopWhatDoesNotRun,
		"Exec":                   execInContainer,
		"ExecNeedsOneThatRuns":   execNeedsOneThatRuns,
		"RemoveIsIdempotent":     removeIsIdempotent,
		"RemoveKills":            removeKills,
		"ListByLabels":           listByLabels,
		"ManyContainersAtOnce":   manyContainersAtOnce,
	})
}

// Execution is what an Engine passes that runs real containers: networks,
// limits and hardening as they are seen from inside.
func Execution(t *testing.T, newEngine func(*testing.T) runner.Engine, image string) {
	run(t, newEngine, image, map[string]func(*rig){
		"OutputIsAsItsRecord": outputIsAsItsRecord,
		"ServiceByAlias":      serviceByAlias,
		"SandboxIsApart":      sandboxIsApart,
		"SandboxBlocks":       sandboxBlocks,
		"NetworksAreApart":    networksAreApart,
		"NoNetwork":           noNetwork,
		"Capabilities":        capabilities,
		"InitReaps":           initReaps,
		"PIDsLimit":           pidsLimit,
		"MemoryLimit":         memoryLimit,
		"CPULimit":            cpuLimit,
		"Usage":               usageOfContainer,
		"DiskUsage":           diskUsage,
		"StdinIsClosed":       stdinIsClosed,
		"WorkingDir":          workingDir,
		"Environment":         environment,
		"ImageFilesNotCopied": imageFilesNotCopied,
		"NoExecutable":        noExecutable,
		"NoImage":             noImage,
		"ExecAsUser":          execAsUser,
		"ExecEndsWithContext": execEndsWithContext,
		"Listening":           listeningTells,
		"ListeningCannotTell": listeningCannotTell,
		"User":                userOfStep,
		"MountOfHost":         mountOfHost,
		"MountOfVolume":       mountOfVolume,
		"VolumeInMemory":      volumeInMemory,
		"Device":              device,
		"TmpfsAndShm":         tmpfsAndShm,
		"NamesAndHosts":       namesAndHosts,
		"NetworkModes":        networkModes,
	})
}

func run(t *testing.T, newEngine func(*testing.T) runner.Engine, image string, tests map[string]func(*rig)) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newRig(t, newEngine, image))
		})
	}
}
