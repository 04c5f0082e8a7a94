package main

import "github.com/slipway-ci/slipway/runner/pipeline"

type schemaCmd struct{}

// Help is shown below the flags.
func (schemaCmd) Help() string {
	return `An editor with a YAML language server takes it from a first line like
# yaml-language-server: $schema=https://ci.example.org/schema/pipeline.json`
}

// Run prints the schema.
func (schemaCmd) Run(o output) error {
	schema, err := pipeline.Schema()
	if err != nil {
		return err
	}
	_, err = o.out.Write(append(schema, '\n'))
	return err
}
