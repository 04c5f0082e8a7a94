// Package source turns a repository and a commit into a tree that a job can
// work in: it keeps a bare mirror of each repository, fetches single commits
// into it, reads files of a commit, and streams a checkout with a .git of its
// own as a tar.
//
// It knows git and not GitHub, and it runs the git binary. Everything that
// comes from outside (URLs, refs, SHAs, and what a repository contains) is
// taken to be hostile: it is validated before git sees it, git speaks HTTPS and
// nothing else, reads no configuration but the one given here, and runs no
// hooks, filters or helpers. A credential lives in the environment of the one
// git process that needs it and nowhere else.
//
// # Why mirrors have the full history
//
// The first fetch of a repository brings the whole history of the commit that
// is asked for (of that commit only, not of every branch). It is dear once, and
// in exchange everything after it is cheap and cannot fail for lack of objects:
// a push brings what is new and nothing else, any depth, `git describe` and the
// paths changed between two commits are answered without the network, and no
// step after the fetch needs the credential. A shallow mirror makes the server
// compute a new boundary for each fetch and falls back to the full history at
// the first branch that forks below it; a blobless one goes back to the network
// from the middle of a checkout.
package source
