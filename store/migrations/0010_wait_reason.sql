-- +goose Up

-- Why no job is claimed; '' if they are.
ALTER TABLE meta ADD COLUMN wait_reason TEXT NOT NULL DEFAULT '';
