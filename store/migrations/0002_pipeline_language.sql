-- +goose Up

-- What an admin allows a repository's steps beyond a container, and where its
-- pipeline files are: empty for where they are looked for without a setting.
ALTER TABLE repos ADD COLUMN trust_security INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repos ADD COLUMN trust_volumes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repos ADD COLUMN trust_network INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repos ADD COLUMN pipeline_file TEXT NOT NULL DEFAULT '';

ALTER TABLE builds ADD COLUMN sender_avatar TEXT NOT NULL DEFAULT '';
ALTER TABLE builds ADD COLUMN release TEXT NOT NULL DEFAULT ''; -- JSON Release, '' unless a release
ALTER TABLE builds ADD COLUMN deploy TEXT NOT NULL DEFAULT '';  -- JSON Deploy, '' unless a deployment

ALTER TABLE jobs ADD COLUMN base TEXT NOT NULL DEFAULT '';   -- the workflow, without the values of its matrix
ALTER TABLE jobs ADD COLUMN matrix TEXT NOT NULL DEFAULT ''; -- JSON: this job's values, '' without a matrix

-- At most group_limit jobs of a repository's group run at once. A pending job is
-- held until it is its turn in the group, so that claiming never looks at it.
ALTER TABLE jobs ADD COLUMN group_name TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN group_limit INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN group_cancel INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN superseded_by INTEGER NOT NULL DEFAULT 0; -- number of the build for which it is to stop

DROP INDEX jobs_pending;
CREATE INDEX jobs_pending ON jobs (repo_id, id) WHERE status = 'pending' AND held = 0;
CREATE INDEX jobs_group ON jobs (repo_id, group_name, held, id) WHERE group_name <> '' AND status IN ('pending', 'running');
