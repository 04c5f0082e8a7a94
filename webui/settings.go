package webui

import (
	"net/http"

	"github.com/slipway-ci/slipway/store"
)

// settingsPage is the view of templates/settings.html: what an admin sets of a
// repository. Values are as they were sent, if that was wrong.
type settingsPage struct {
	repoFrame
	Trust        store.Trust
	PipelineFile string
	Problem      string // of PipelineFile
	// BadgeURL and RepoURL are whole addresses, to be copied.
	BadgeURL, RepoURL string
}

func (u *UI) settings(c *request) error {
	return u.showSettings(c, http.StatusOK, c.repo.RepoSettings, "")
}

func (u *UI) showSettings(c *request, code int, s store.RepoSettings, problem string) error {
	f, err := u.repoFrame(c, "Settings")
	if err != nil {
		return err
	}
	address := u.base(c) + repoPath(c.repo)
	return u.render(c, code, "settings", &settingsPage{repoFrame: f, Trust: s.Trust, PipelineFile: s.PipelineFile,
		Problem: problem, BadgeURL: address + "/badge.svg", RepoURL: address})
}

// changeSettings stores the whole form: a box that is not ticked is not sent.
func (u *UI) changeSettings(c *request) error {
	sent := store.RepoSettings{
		Trust: store.Trust{
			Security: c.FormValue("security") != "", Volumes: c.FormValue("volumes") != "", Network: c.FormValue("network") != "",
			Metadata: c.FormValue("metadata") != "",
		},
		PipelineFile: c.FormValue("pipeline_file"),
	}
	if !store.ValidPipelineFile(sent.PipelineFile) {
		return u.showSettings(c, http.StatusUnprocessableEntity, sent,
			"This is no path from the root of the repository, such as ci/build.yml or ci/.")
	}
	r, err := u.store.ChangeRepoSettings(c.Request().Context(), c.repo.ID, func(s *store.RepoSettings) {
		s.Trust, s.PipelineFile = sent.Trust, sent.PipelineFile
	})
	if err == nil {
		u.log.Info("settings of a repository changed", "repo", r.FullName(), "trust", r.Trust, "pipeline_file", r.PipelineFile)
		err = u.setFlash(c, "The settings are saved. They hold for builds that begin from now on.")
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, repoPath(c.repo)+"/settings")
}
