-- +goose Up

-- Whether a rule knows the title for what failed, and it is no guess.
ALTER TABLE digests ADD COLUMN known INTEGER NOT NULL DEFAULT 0;
