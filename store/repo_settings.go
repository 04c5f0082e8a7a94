package store

import (
	"context"
	"io/fs"
	"path"
	"strings"
)

// RepoSettings are what an admin sets of a repository. Deliveries do not touch
// them.
type RepoSettings struct {
	Trust Trust
	// PipelineFile is the file or folder, from the root of the tree, that is
	// used and no other; "" for where pipeline files usually are.
	PipelineFile string
	// Runtime and UserNS are runner.Isolation; "" is the server's.
	Runtime string
	UserNS  string
}

// ValidPipelineFile accepts as RepoSettings.PipelineFile "", and the path of a
// file or, with a slash at its end, of a folder.
func ValidPipelineFile(p string) bool {
	clean := strings.TrimSuffix(p, "/")
	return p == "" || len(p) <= 255 && fs.ValidPath(clean) && path.Clean(clean) != "." && !strings.ContainsFunc(p, func(c rune) bool { return c < ' ' })
}

// Trust is what the repository's steps may do beyond a container.
type Trust struct {
	Security bool `json:"security" doc:"privileged, devices, and images that run privileged"`
	Volumes  bool `json:"volumes" doc:"volumes and tmpfs"`
	Network  bool `json:"network" doc:"dns, dns_search, extra_hosts and network_mode"`
	Metadata bool `json:"metadata" doc:"The metadata services of clouds, which hand out the machine's credentials; never for pull requests from forks"`
}

// ChangeRepoSettings lets change alter a repository's settings and stores them,
// in one transaction. change must do nothing else: it may run on another
// goroutine. It returns the repository as it is then.
func (s *Store) ChangeRepoSettings(ctx context.Context, repoID int64, change func(*RepoSettings)) (Repo, error) {
	var r Repo
	err := s.update(ctx, func(tx *tx) error {
		if err := r.scan(tx.row(`SELECT `+repoColumns+` FROM repos r WHERE r.id = ?`, repoID)); err != nil {
			return err
		}
		change(&r.RepoSettings)
		return tx.exec(`UPDATE repos SET trust_security = ?, trust_volumes = ?, trust_network = ?, trust_metadata = ?,
			pipeline_file = ?, runtime = ?, userns = ? WHERE id = ?`,
			r.Trust.Security, r.Trust.Volumes, r.Trust.Network, r.Trust.Metadata, r.PipelineFile, r.Runtime, r.UserNS, repoID)
	})
	return r, wrap("change settings", err)
}
