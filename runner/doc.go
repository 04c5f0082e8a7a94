// Package runner runs one job: the steps of one workflow, each in a container
// of its own, in the order of their dependencies, through an Engine.
//
// It knows no database and no HTTP. What it is about to do and what came of it
// goes to an Observer, which makes it durable; a job that was cut off is run
// again with what the Observer recorded, and goes on where it was:
//
//	Run(ctx, Job, State, Engine, Observer)
//
// Order of one mutation: Observer.Intend (durable) → Engine call →
// Observer.Done. If Intend fails the Engine is not called. Names of containers,
// networks and volumes are a function of the job, so that a creation whose
// answer was lost finds its own thing the second time.
//
// Output is masked once, between the Engine and the Observer; nothing that
// leaves this package has a secret in it.
package runner
