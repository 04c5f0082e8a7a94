-- +goose Up

-- A repository's logins for image registries. The password stands here as it is:
-- what protects it is the mode of the data directory.
CREATE TABLE registry_logins (
	repo_id  INTEGER NOT NULL REFERENCES repos (id) ON DELETE CASCADE,
	registry TEXT NOT NULL, -- "ghcr.io", "registry.example:5000"
	username TEXT NOT NULL,
	password TEXT NOT NULL,
	PRIMARY KEY (repo_id, registry)
) WITHOUT ROWID;

-- Images that the engine has because of a login. A name with a row whose image_id
-- is '' needs one; the other rows are whom a registry gave which image: the
-- holder of a login, or '' for everyone.
CREATE TABLE image_grants (
	name     TEXT NOT NULL, -- in full, without a tag
	image_id TEXT NOT NULL,
	holder   TEXT NOT NULL,
	PRIMARY KEY (name, image_id, holder)
) WITHOUT ROWID;
