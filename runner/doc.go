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
// # How steps end
//
// A step starts as soon as the services that it uses answer and everything it
// depends on has ended; a step that `when` kept out stands for what it depends on
// itself. A service that does not answer in time is stopped as an error, and so
// are the steps that wait for it, save those that run after failures. If
// something that it depends on, directly or not, has failed, it runs only if it
// asked for that. What fails with `failure: ignore` shows it and counts for
// nothing. What fails with `failure: cancel` fails the job at once: the other
// steps that run are canceled, and of those to come only the ones run that asked
// for a failure. A job is canceled if a step was for another reason than that,
// else an error if one is, else a failure if one is.
//
// Services and detached steps run beside the others and are stopped, as a
// success, when none of these is left. One that cannot be run at all counts as
// any step does. One that runs and then ends by itself shows how and counts for
// nothing: whether that matters the steps that use it tell.
//
// # Output
//
// Output is masked once, between the Engine and the Observer; nothing that
// leaves this package has a secret in it.
//
// Each line of output is stored once, however often the engine's record of it is
// read, and so is what slipway itself says of an attempt: a Run that takes a step
// over asks the log what was said. How a step ended is recorded before its log
// tells (OpEnd), so that both stay true.
package runner
