-- +goose Up

-- What the containers of a step used, as far as it was seen; 0 where it was too
-- short to be seen.
ALTER TABLE steps ADD COLUMN cpu_us INTEGER NOT NULL DEFAULT 0; -- CPU time in microseconds
ALTER TABLE steps ADD COLUMN peak_memory INTEGER NOT NULL DEFAULT 0; -- bytes
