package logs

import (
	"fmt"
	"path/filepath"
	"strings"
)

const (
	logSuffix  = ".log"
	tailSuffix = ".tail"

	maxKey = 200 // bytes
)

// checkKey returns an error unless key is one or more names of letters, digits,
// "-" and "_", with slashes between them. Such a key cannot leave the store's
// directory, and no directory has the name of a file.
func checkKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("log key of %d bytes, at most %d", len(key), maxKey)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || strings.IndexFunc(part, outsideKey) >= 0 {
			return fmt.Errorf("log key %q is not made of letters, digits, - and _ between slashes", key)
		}
	}
	return nil
}

func outsideKey(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		return false
	}
	return true
}

// under reports whether key is prefix or stands below it.
func under(key, prefix string) bool {
	rest, ok := strings.CutPrefix(key, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// path returns the path of the files of a log, without their suffixes.
func (s *Store) path(key string) string { return filepath.Join(s.dir, filepath.FromSlash(key)) }
