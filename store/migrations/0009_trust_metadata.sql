-- +goose Up

-- Whether a repository's steps may reach the metadata services of clouds.
ALTER TABLE repos ADD COLUMN trust_metadata INTEGER NOT NULL DEFAULT 0;
