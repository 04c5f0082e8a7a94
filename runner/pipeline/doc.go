// Package pipeline is slipway's pipeline language: it finds the files in a
// tree, parses and validates them, and plans what an event makes of them.
//
// It is pure. It does no I/O of its own (Find reads the fs.FS it is given), has
// no clock and no globals, and the same bytes and the same Facts give the same
// Plan. Every problem a person can mend is a Problem with file, line and column.
//
// A file goes through these hands, all of them in Compile:
//
//	Find        which files there are (find.go)
//	document    its YAML as nodes with places (syntax.go)
//	decoder     nodes into the types of grammar.go, whose fields are the keys of
//	            the language; variables are replaced on the way (substitute.go)
//	workflow    types into a Workflow, one for each combination of its matrix:
//	            names, `when`, images, trust, order
//
// The documents of a .drone.yml are decoded into the types of drone_grammar.go,
// which are turned into those of grammar.go (drone_workflow.go).
//
// A new key is a field in grammar.go with a `doc` tag and a type that decodes
// itself (see value) and says what may stand in its place (see described), and a
// line where the workflow is planned. Tests then ask for it in the manual.
//
// A plan never has the value of a secret: Step.Resolve puts them in when the
// step starts. All that a file may cost is bounded by the budget that the
// decoders of one file share.
package pipeline
