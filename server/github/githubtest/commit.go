package githubtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Person is an author. The zero Person is "Mona <mona@example.com>", login mona.
type Person struct {
	Name, Email string
	Login       string // the account that has the address; may be empty
}

var mona = Person{Name: "Mona", Email: "mona@example.com", Login: "mona"}

// orMona returns p or, if it is zero, who writes here by default.
func (p Person) orMona() Person { return cmp.Or(p, mona) }

// login returns the login, or a name to go by.
func (p Person) login() string { return cmp.Or(p.Login, p.Name) }

// A Change becomes one commit.
type Change struct {
	Branch string // empty means the default branch
	// From is the branch that a new branch starts from; empty means the default
	// branch. In an empty repository it starts from nothing.
	From string
	// Files are contents by path. What begins with "#!" is made executable.
	Files   map[string]string
	Remove  []string // paths
	Message string   // empty means "Change files"
	Author  Person
}

// Commit adds a commit to a branch, which is made if there is none, and returns
// its SHA. No webhook is sent.
func (r *Repo) Commit(ctx context.Context, c Change) (sha string, err error) {
	u, err := r.commit(ctx, c)
	return u.after, err
}

// CommitAll adds a commit for each change to the branch of the first, and returns
// their SHAs. It takes hardly longer than one. No webhook is sent.
func (r *Repo) CommitAll(ctx context.Context, changes []Change) (shas []string, err error) {
	if len(changes) == 0 {
		return nil, nil
	}
	_, shas, err = r.commitAll(ctx, changes)
	return shas, err
}

// Push commits as Commit does and sends the webhooks that a push of it causes.
// It does not wait for their answers.
func (r *Repo) Push(ctx context.Context, c Change) (sha string, err error) {
	u, err := r.commit(ctx, c)
	if err != nil {
		return "", err
	}
	return u.after, r.announce(ctx, []update{u}, c.Author.orMona().login())
}

func (r *Repo) commit(ctx context.Context, c Change) (update, error) {
	u, _, err := r.commitAll(ctx, []Change{c})
	return u, err
}

// commitAll returns what becomes of the branch, and each commit.
func (r *Repo) commitAll(ctx context.Context, changes []Change) (update, []string, error) {
	branch, from := cmp.Or(changes[0].Branch, r.defaultBranch), cmp.Or(changes[0].From, r.defaultBranch)
	all := slices.Clone(changes)
	for i := range all {
		c := &all[i]
		c.Branch, c.From = branch, from
		c.Message, c.Author = cmp.Or(c.Message, "Change files"), c.Author.orMona()
		if err := c.check(); err != nil {
			return update{}, nil, fmt.Errorf("commit to %s: %w", r.FullName(), err)
		}
		r.s.remember(c.Author)
	}
	r.commitMu.Lock()
	defer r.commitMu.Unlock()
	before, err := r.Resolve(ctx, "refs/heads/"+branch)
	if err != nil {
		return update{}, nil, err
	}
	parent := before
	if parent == "" {
		if parent, err = r.Resolve(ctx, "refs/heads/"+from); err != nil {
			return update{}, nil, err
		}
	}
	var stream strings.Builder
	for i := range all {
		all[i].write(&stream, parent, i+1, r.s.now().Unix())
		parent = "" // it is the one before
	}
	stream.WriteString("done\n")
	// All of it in one process: it writes the objects, and moves the branch
	// unless somebody else has moved it meanwhile.
	out, err := r.s.git.run(ctx, r.dir, strings.NewReader(stream.String()), "fast-import", "--quiet", "--done")
	if err != nil {
		return update{}, nil, fmt.Errorf("commit to %s: %w", r.FullName(), err)
	}
	shas := strings.Fields(out)
	return update{ref: "refs/heads/" + branch, before: before, after: shas[len(shas)-1]}, shas, nil
}

func (c *Change) check() error {
	if err := errors.Join(checkRef(c.Branch), checkRef(c.From), c.Author.check()); err != nil {
		return err
	}
	for path := range c.Files {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	for _, path := range c.Remove {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	return nil
}

func checkPath(path string) error {
	inGit := slices.ContainsFunc(strings.Split(path, "/"), func(dir string) bool { return strings.EqualFold(dir, ".git") })
	if inGit || !fs.ValidPath(path) || path == "." || strings.ContainsAny(path, "\"\n\x00") {
		return fmt.Errorf("%q is not a path that can be committed here", path)
	}
	return nil
}

func (p Person) check() error {
	if strings.ContainsAny(p.Name+p.Email, "<>\n\x00") {
		return fmt.Errorf("%q <%q> cannot be an author", p.Name, p.Email)
	}
	return nil
}

// write writes the commit in git fast-import's language. Without a parent it comes
// after the one before it in the stream, if there is one.
func (c *Change) write(b *strings.Builder, parent string, mark int, at int64) {
	data := func(s string) { fmt.Fprintf(b, "data %d\n%s\n", len(s), s) }
	fmt.Fprintf(b, "commit refs/heads/%s\nmark :%d\n", c.Branch, mark)
	fmt.Fprintf(b, "committer %s <%s> %d +0000\n", c.Author.Name, c.Author.Email, at)
	data(strings.TrimRight(c.Message, "\n") + "\n")
	if parent != "" {
		fmt.Fprintf(b, "from %s\n", parent)
	}
	for _, path := range c.Remove {
		fmt.Fprintf(b, "D %s\n", path)
	}
	for _, path := range slices.Sorted(maps.Keys(c.Files)) {
		mode := "100644"
		if strings.HasPrefix(c.Files[path], "#!") {
			mode = "100755"
		}
		fmt.Fprintf(b, "M %s inline %s\n", mode, path)
		data(c.Files[path])
	}
	fmt.Fprintf(b, "get-mark :%d\n", mark)
}

// remember makes the login of an address known, for the payloads.
func (s *Server) remember(p Person) {
	if p.Login == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins[p.Email] = p.Login
}

func (s *Server) loginOf(email string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins[email]
}
