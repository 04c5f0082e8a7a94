-- +goose Up

-- The commit that a delivery's body names, '' if it names none.
ALTER TABLE deliveries ADD COLUMN sha TEXT NOT NULL DEFAULT '';
UPDATE deliveries SET sha = coalesce((SELECT b.sha FROM builds b WHERE b.id = deliveries.build_id), '');
CREATE INDEX deliveries_sha ON deliveries (sha, id) WHERE sha <> '';
CREATE INDEX deliveries_repo ON deliveries (repo, id);
CREATE INDEX deliveries_status ON deliveries (status, id);

-- What the lists filter by, newest first, and what the search looks through.
CREATE INDEX builds_author ON builds (repo_id, author COLLATE NOCASE, number);
CREATE INDEX builds_event ON builds (repo_id, event, number);
CREATE INDEX builds_status ON builds (repo_id, status, number);
CREATE INDEX builds_number ON builds (number);
CREATE INDEX builds_sha ON builds (sha);
CREATE INDEX builds_active ON builds (id) WHERE status IN ('blocked', 'pending', 'running');
