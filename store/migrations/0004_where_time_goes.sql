-- +goose Up

-- Points between the start of a job or step and its end, in milliseconds: what a
-- timeline tells apart.
ALTER TABLE jobs ADD COLUMN sourced_at INTEGER NOT NULL DEFAULT 0; -- the source stood in the volume
ALTER TABLE steps ADD COLUMN imaged_at INTEGER NOT NULL DEFAULT 0; -- the image was there
ALTER TABLE steps ADD COLUMN ran_at INTEGER NOT NULL DEFAULT 0;    -- the container was started

-- What a restart runs: JSON Rerun, '' for all. Jobs that it does not run again
-- have their outcome from another build.
ALTER TABLE builds ADD COLUMN rerun TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN carried_from INTEGER NOT NULL DEFAULT 0; -- number of that build
ALTER TABLE jobs ADD COLUMN carried_job INTEGER NOT NULL DEFAULT 0;  -- number of the job there

-- Pipeline files as they were used. One text is stored once, however many builds
-- have it.
CREATE TABLE pipeline_texts (
    sum  BLOB PRIMARY KEY, -- SHA-256
    text BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE build_files (
    build_id INTEGER NOT NULL REFERENCES builds (id),
    number   INTEGER NOT NULL, -- from 1, in the order of their use
    path     TEXT    NOT NULL,
    sum      BLOB    NOT NULL REFERENCES pipeline_texts (sum),
    PRIMARY KEY (build_id, number)
) WITHOUT ROWID;
