-- +goose Up

-- What runs a repository's containers, and how its users are mapped; '' for what
-- the server does.
ALTER TABLE repos ADD COLUMN runtime TEXT NOT NULL DEFAULT '';
ALTER TABLE repos ADD COLUMN userns TEXT NOT NULL DEFAULT '';
