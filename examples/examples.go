// Package examples holds pipelines that a test parses and the demo runs.
package examples

import "embed"

// Demo is the sample repository of `slipway demo`, below "demo".
//
//go:embed all:demo
var Demo embed.FS
