// Package runnertest helps to test what uses a runner.Engine, and engines
// themselves: Engine is one in memory that runs Go functions and fails on
// demand, Conformance is the suite that every Engine passes, and Image makes
// sure that the Docker engine has an image to test with.
package runnertest
