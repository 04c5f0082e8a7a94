-- +goose Up

-- What matters of a failed step's log: worked out once, when the step has ended.
CREATE TABLE digests (
    step_id  INTEGER PRIMARY KEY REFERENCES steps (id) ON DELETE CASCADE,
    build_id INTEGER NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    repo_id  INTEGER NOT NULL REFERENCES repos (id) ON DELETE CASCADE,
    line     INTEGER NOT NULL, -- row of the log, 0 for none
    title    TEXT    NOT NULL,
    command  TEXT    NOT NULL,
    excerpt  TEXT    NOT NULL, -- JSON: rows of the log
    text     TEXT    NOT NULL  -- the excerpt's plain text, for the search
);
CREATE INDEX digests_build ON digests (build_id);

ALTER TABLE steps ADD COLUMN digested INTEGER NOT NULL DEFAULT 0;
CREATE INDEX steps_undigested ON steps (id) WHERE digested = 0 AND status IN ('failure', 'error');

-- Identifiers such as ERR_MODULE_NOT_FOUND are one word.
CREATE VIRTUAL TABLE digests_text USING fts5 (
    title, command, text,
    content = 'digests', content_rowid = 'step_id', tokenize = "unicode61 tokenchars '_'", prefix = '2 3'
);
-- +goose StatementBegin
CREATE TRIGGER digests_inserted AFTER INSERT ON digests BEGIN
    INSERT INTO digests_text (rowid, title, command, text) VALUES (new.step_id, new.title, new.command, new.text);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER digests_deleted AFTER DELETE ON digests BEGIN
    INSERT INTO digests_text (digests_text, rowid, title, command, text)
    VALUES ('delete', old.step_id, old.title, old.command, old.text);
END;
-- +goose StatementEnd

-- What a failed build has in it since the last one that passed.
CREATE TABLE build_changes (
    build_id INTEGER PRIMARY KEY REFERENCES builds (id) ON DELETE CASCADE,
    changes  TEXT    NOT NULL -- JSON
);

-- The builds of a branch or of a pull request, and which of them passed.
CREATE INDEX builds_ref ON builds (repo_id, ref, number, status);
