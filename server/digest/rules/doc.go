// Package rules finds the row of a failed step's log that says why it failed,
// by what compilers, linters, test runners, shells and Docker print. It is pure:
// rows in, a place and a title out.
//
// Looking is done in two parts, so that a log of any size is read once and never
// held. A Search is given all rows and keeps the number of the best one; Explain
// is then given the rows around that one, and finds the row to show, the few that
// matter, and a title.
//
// # Ranks
//
// Each rule has a rank (rule.go), and the best rank that fits a row decides:
// what a tool says of one place in the source is worth more than the words with
// which it ends. Within a rank the first row counts, as what follows an error is
// often its consequence; of stack traces and shells' complaints it is the last,
// as those before were survived.
//
// # Commands
//
// A row that begins a command forgets what was found before: the commands of a
// step run until one fails, so the error is in the output of the last one. Only
// one that does nothing but exit leaves what was found in them.
//
// # What tools put around it
//
// Rules see what a program printed (clean.go): without colours and timestamps, and
// of the events of `go test -json` the output that is in them. All output is looked
// at as it was written, so a rule fits it whoever passed it on.
//
// # A new rule
//
// Rules stand in a file for each language, in a table. Add a real log to
// testdata with it, the row that is to be found marked (see rules_test.go). All
// expressions are anchored at the beginning of the row, which is what makes
// trying them cheap.
package rules
