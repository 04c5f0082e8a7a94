-- +goose Up

CREATE TABLE meta (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    server_id  TEXT    NOT NULL,
    change     INTEGER NOT NULL, -- counts changes; builds and commits carry the number of their last one
    created_at INTEGER NOT NULL
);

CREATE TABLE repos (
    id             INTEGER PRIMARY KEY,
    remote_id      INTEGER NOT NULL UNIQUE, -- GitHub's, which survives renames
    owner          TEXT    NOT NULL COLLATE NOCASE,
    name           TEXT    NOT NULL COLLATE NOCASE,
    private        INTEGER NOT NULL,
    default_branch TEXT    NOT NULL,
    clone_url      TEXT    NOT NULL,
    html_url       TEXT    NOT NULL,
    had_pipeline   INTEGER NOT NULL DEFAULT 0, -- some commit of it had a pipeline file
    last_number    INTEGER NOT NULL DEFAULT 0, -- of its newest build
    last_claim     INTEGER NOT NULL DEFAULT 0, -- when the queue took a job of it last, as a counter
    created_at     INTEGER NOT NULL,
    UNIQUE (owner, name)
);

CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    guid        TEXT    NOT NULL UNIQUE,
    event       TEXT    NOT NULL,
    repo        TEXT    NOT NULL DEFAULT '' COLLATE NOCASE, -- "owner/name" as the body says
    headers     TEXT    NOT NULL,            -- JSON, without the signature
    body        BLOB    NOT NULL,
    status      TEXT    NOT NULL,            -- pending, done, ignored, failed
    outcome     TEXT    NOT NULL DEFAULT '', -- for people
    build_id    INTEGER NOT NULL DEFAULT 0,  -- made by it, or covering it
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_at     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_pending ON deliveries (repo, id) WHERE status = 'pending';

CREATE TABLE builds (
    id            INTEGER PRIMARY KEY,
    repo_id       INTEGER NOT NULL REFERENCES repos (id),
    number        INTEGER NOT NULL,
    origin_id     INTEGER NOT NULL, -- the first build of which this is a run: its own ID unless restarted
    parent        INTEGER NOT NULL DEFAULT 0, -- number of the build that it restarts
    status        TEXT    NOT NULL,
    reason        TEXT    NOT NULL DEFAULT '',
    problems      TEXT    NOT NULL DEFAULT '', -- JSON: what is wrong in the pipeline files
    planned       INTEGER NOT NULL, -- whether its jobs stand; a restart is planned by the trigger
    event         TEXT    NOT NULL,
    ref           TEXT    NOT NULL,
    branch        TEXT    NOT NULL,
    tag           TEXT    NOT NULL,
    sha           TEXT    NOT NULL,
    before_sha    TEXT    NOT NULL,
    message       TEXT    NOT NULL,
    url           TEXT    NOT NULL,
    author        TEXT    NOT NULL,
    author_email  TEXT    NOT NULL,
    avatar_url    TEXT    NOT NULL,
    sender        TEXT    NOT NULL,
    pull          TEXT    NOT NULL DEFAULT '', -- JSON Pull, '' unless a pull request
    pull_number   INTEGER NOT NULL DEFAULT 0,
    files         TEXT    NOT NULL DEFAULT '[]', -- JSON: pipeline files used
    fingerprint   TEXT    NOT NULL DEFAULT '',
    delivery      TEXT    NOT NULL DEFAULT '',
    approval      INTEGER NOT NULL DEFAULT 0, -- needs one before it may run
    approved_by   TEXT    NOT NULL DEFAULT '',
    cancels       INTEGER NOT NULL DEFAULT 0, -- requests to cancel
    canceled_by   TEXT    NOT NULL DEFAULT '',
    attempts      INTEGER NOT NULL DEFAULT 0, -- failed tries to plan it
    next_at       INTEGER NOT NULL DEFAULT 0, -- when to try again
    created_at    INTEGER NOT NULL,
    started_at    INTEGER NOT NULL DEFAULT 0,
    finished_at   INTEGER NOT NULL DEFAULT 0,
    change        INTEGER NOT NULL,
    UNIQUE (repo_id, number)
);
CREATE INDEX builds_commit ON builds (repo_id, sha);
CREATE INDEX builds_branch ON builds (repo_id, branch, number);
CREATE INDEX builds_pull ON builds (repo_id, pull_number) WHERE pull_number > 0;
CREATE INDEX builds_unplanned ON builds (id) WHERE planned = 0;

CREATE TABLE jobs (
    id          INTEGER PRIMARY KEY,
    build_id    INTEGER NOT NULL REFERENCES builds (id),
    repo_id     INTEGER NOT NULL REFERENCES repos (id),
    number      INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    reason      TEXT    NOT NULL DEFAULT '',
    failed_step INTEGER NOT NULL DEFAULT 0,
    depends_on  TEXT    NOT NULL DEFAULT '[]', -- JSON: names of jobs of the build
    on_success  INTEGER NOT NULL,
    on_failure  INTEGER NOT NULL,
    plan        TEXT    NOT NULL, -- JSON pipeline.Workflow
    nonce       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    queued_at   INTEGER NOT NULL DEFAULT 0,
    started_at  INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0,
    UNIQUE (build_id, number)
);
CREATE INDEX jobs_pending ON jobs (repo_id, id) WHERE status = 'pending';
CREATE INDEX jobs_running ON jobs (id) WHERE status = 'running';

CREATE TABLE steps (
    id          INTEGER PRIMARY KEY,
    job_id      INTEGER NOT NULL REFERENCES jobs (id),
    number      INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    image       TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    reason      TEXT    NOT NULL DEFAULT '',
    exited      INTEGER NOT NULL DEFAULT 0,
    exit_code   INTEGER NOT NULL DEFAULT 0,
    started_at  INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER NOT NULL DEFAULT 0,
    UNIQUE (job_id, number)
);

-- What a running job is about to do and has done to the engine; gone with the job.
CREATE TABLE ops (
    job_id INTEGER NOT NULL,
    key    TEXT    NOT NULL,
    done   INTEGER NOT NULL DEFAULT 0,
    id     TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (job_id, key)
) WITHOUT ROWID;

-- Commits whose statuses are to be worked out again: change > seen.
CREATE TABLE commits (
    repo_id INTEGER NOT NULL,
    sha     TEXT    NOT NULL,
    change  INTEGER NOT NULL,
    seen    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (repo_id, sha)
) WITHOUT ROWID;
CREATE INDEX commits_dirty ON commits (change) WHERE change > seen;

-- What GitHub is to be told, and was: the outbox. One row a context, so a newer
-- state replaces one that was not sent yet.
CREATE TABLE statuses (
    id          INTEGER PRIMARY KEY,
    repo_id     INTEGER NOT NULL REFERENCES repos (id),
    sha         TEXT    NOT NULL,
    context     TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    description TEXT    NOT NULL,
    target_url  TEXT    NOT NULL,
    version     INTEGER NOT NULL,           -- counts what is wanted
    sent        INTEGER NOT NULL DEFAULT 0, -- version that GitHub has
    attempts    INTEGER NOT NULL DEFAULT 0, -- failed ones of this version
    next_at     INTEGER NOT NULL,
    refused     INTEGER NOT NULL DEFAULT 0, -- HTTP status with which GitHub refused it, or 0
    error       TEXT    NOT NULL DEFAULT '',
    sent_at     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (repo_id, sha, context)
);
CREATE INDEX statuses_due ON statuses (next_at) WHERE version > sent;

CREATE TABLE sessions (
    token      TEXT    PRIMARY KEY, -- SHA-256 of the cookie's
    data       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
