// Package webui serves slipway's pages: repositories, builds and their logs.
//
// A page is rendered whole by the server and needs no script. Scripts make it
// live: each page has at most two streams of server-sent events, one that
// replaces parts of it (buildEvents, liveList) and one that appends rows to the
// log (streamLog). All of them read the store again when they hear that
// something changed, so a stream that breaks loses nothing.
//
// A build has several pages (buildView): its steps with the log of one, a graph,
// a timeline, and the pipeline as it was used. They share a head and a stream,
// which sends the parts of the page that it was opened from. The graph is laid
// out by the server (layout.go), so that it is there without a script.
//
// What a reader looks for comes first, and once: the digest of a failed step
// (digest.go) stands above its history and its log, and the head of the page does
// not repeat what another part of it says (buildPage.Reason). States have one word
// each everywhere (status.go).
//
// # Logs
//
// The page of a step has all commands of its log and the output of those that
// are open as far as it is in a window of 120 rows: where the step failed, the
// row asked for, or the end (log_view.go). What is left out is a link, which
// leads on without scripts. With them it becomes blocks as high as their rows
// will be, which are filled when they come near the reader and emptied when they
// are gone (static/log-rows.js), so that a page of a million rows is small. Rows
// never change once they are stored, so browsers keep them. Search (log_search.go)
// runs here, on the text that is shown.
//
// # Access
//
// Every route is in routes.go with who may see it. A private repository does
// not exist for those who may not.
//
// What came from outside (commit messages, branches, logs) reaches a page only
// through html/template, or through the terminal in ansi.go, whose output is
// text, spans with classes, and links to http and https, into rows that
// log_row_html.go writes.
package webui
