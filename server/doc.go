// Package server is the HTTP server and what turns webhooks into builds.
//
// A webhook is verified and stored (webhook.go) and answered; the Trigger
// (trigger.go) takes it from there: it fetches the commit, reads its pipeline
// files (planner.go) and stores the build with its jobs and steps in one
// transaction. The REST API stands in api*.go, all routes in routes.go.
package server
