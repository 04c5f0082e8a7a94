// Package docker is the runner.Engine on the Docker API.
//
// It speaks to whatever engine its client points at, from 20.10 (API 1.41) to
// the newest, and keeps no state that matters: everything it makes is found
// again by name or by label.
//
// Hardening is the same for every container and not for the pipeline to choose:
// no-new-privileges, few capabilities, an init process that reaps, limits on
// processes, memory and CPU, the engine's default seccomp and AppArmor profiles.
// A privileged container, which needs an admin's trust, keeps the limits and the
// init process alone.
//
// The json-file log driver is named explicitly and never rotates, because the
// engine's default may be a driver that cannot be read back or one that drops
// the head of a long log. It stores text: bytes that are not UTF-8 come back from
// Logs as U+FFFD, as does a rune that begins in one 16 KiB of a line and ends in
// the next. From Attach the former come as they were, and the latter alike, so
// that who replaces what is not UTF-8 gets the same from both.
//
// Logs asks the engine for the time of each entry of its record (timestamps=1),
// which it puts before every 16 KiB of a long line. That spoils no output: an
// entry is sent as one frame, so that times are taken from where frames begin and
// looked for nowhere else, and a frame without one is an error, after which this
// engine is not asked for times any more.
package docker
