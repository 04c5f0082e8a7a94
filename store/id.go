package store

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// newServerID returns 10 characters of [a-z2-7]: short enough for container
// names, and 50 bits so that two servers on one engine differ.
func newServerID() string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(random(10)))[:10]
}

// newNonce returns 16 hex characters that output cannot guess.
func newNonce() string { return hex.EncodeToString(random(8)) }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return b
}
