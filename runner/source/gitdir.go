package source

import (
	"os"
	"path/filepath"
	"strings"
)

// A gitDirSpec is what writeGitDir writes. It does the work of git init without
// a process, and without the templates (hooks among them) that git would copy.
type gitDirSpec struct {
	bare   bool
	sha256 bool
	head   string // content of HEAD
	origin string // URL of the remote origin; empty: none
	branch string // branch that tracks origin's of the same name; empty: none
	refs   []packedRef
	// shallow lists the commits whose parents are left out.
	shallow []string
	// copied: the work tree will be copied elsewhere, where nothing that the
	// index knows of its files holds but their size and time.
	copied bool
	// partial: what is missing may be asked of origin.
	partial bool
}

// A packedRef is a ref and, if it is an annotated tag, what it stands for.
type packedRef struct {
	name, oid, peeled string
}

// writeGitDir writes a repository without objects at dir, which does not exist.
func writeGitDir(dir string, s gitDirSpec) error {
	for _, sub := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "info"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(sub)), 0o777); err != nil {
			return err
		}
	}
	files := map[string]string{
		"HEAD":        s.head + "\n",
		"config":      s.config(),
		"packed-refs": s.packedRefs(),
	}
	if len(s.shallow) > 0 {
		files["shallow"] = strings.Join(s.shallow, "\n") + "\n"
	}
	for name, content := range files {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			return err
		}
	}
	return nil
}

func (s gitDirSpec) config() string {
	var b strings.Builder
	version, bare := "0", "false"
	if s.sha256 || s.partial {
		version = "1"
	}
	if s.bare {
		bare = "true"
	}
	b.WriteString("[core]\n\trepositoryformatversion = " + version + "\n\tfilemode = true\n\tbare = " + bare + "\n")
	if s.copied {
		b.WriteString("\tcheckStat = minimal\n\ttrustctime = false\n")
	}
	if s.sha256 {
		b.WriteString("[extensions]\n\tobjectFormat = sha256\n")
	}
	if s.partial {
		b.WriteString("[extensions]\n\tpartialClone = origin\n")
	}
	if s.origin != "" {
		b.WriteString("[remote \"origin\"]\n\turl = " + quoteConfig(s.origin) + "\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n")
		if s.partial {
			b.WriteString("\tpromisor = true\n\tpartialclonefilter = blob:none\n")
		}
	}
	if s.origin != "" && s.branch != "" {
		b.WriteString("[branch " + quoteConfig(s.branch) + "]\n\tremote = origin\n\tmerge = " + quoteConfig("refs/heads/"+s.branch) + "\n")
	}
	return b.String()
}

// quoteConfig quotes a value or a subsection that has no line end in it.
func quoteConfig(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// packedRefs returns the refs as the one file in which any two names get along,
// whatever the file system.
func (s gitDirSpec) packedRefs() string {
	var b strings.Builder
	for _, r := range s.refs {
		b.WriteString(r.oid + " " + r.name + "\n")
		if r.peeled != "" {
			b.WriteString("^" + r.peeled + "\n")
		}
	}
	return b.String()
}
