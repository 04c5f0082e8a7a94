package main

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// bytesFlag is a number of bytes, written like 512MiB.
type bytesFlag int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *bytesFlag) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > 1<<62 {
		return fmt.Errorf("%q is not a size: write it like 512MiB or 2GiB", text)
	}
	*b = bytesFlag(n)
	return nil
}
