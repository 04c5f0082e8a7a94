// Package webui serves slipway's pages: repositories, builds and their logs.
//
// A page is rendered whole by the server and needs no script. Scripts make it
// live: each page has at most two streams of server-sent events, one that
// replaces parts of it (buildEvents, liveList) and one that appends rows to the
// log (streamLog). All of them read the store again when they hear that
// something changed, so a stream that breaks loses nothing.
//
// Every route is in routes.go with who may see it. A private repository does
// not exist for those who may not.
//
// What came from outside (commit messages, branches, logs) reaches a page only
// through html/template, or through the terminal in ansi.go, whose output is
// text, spans with classes, and links to http and https.
package webui
