-- Who this instance is, and which key its secrets are sealed with.
CREATE TABLE instance (
    key TEXT PRIMARY KEY, -- id | key_check | applied_digest | link_wanted
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a file or the page has set; what is not here has its default.
CREATE TABLE settings (
    section TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, -- JSON
    PRIMARY KEY (section, key)
) STRICT, WITHOUT ROWID;

-- Ids are never used again: the delivery log names touchpoints and destinations long after they are gone.
CREATE TABLE touchpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    document TEXT NOT NULL, -- JSON in the shape of the file, each secret as stored:FINGERPRINT
    removed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX touchpoints_by_name ON touchpoints (name) WHERE removed_at IS NULL;

CREATE TABLE destinations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    touchpoint INTEGER NOT NULL REFERENCES touchpoints (id),
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    removed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX destinations_by_name ON destinations (touchpoint, name) WHERE removed_at IS NULL;

CREATE TABLE secrets (
    fingerprint TEXT PRIMARY KEY,
    source TEXT NOT NULL, -- env:NAME or file:PATH, read anew at each start; empty: the secret itself was given
    sealed BLOB NOT NULL -- bound to fingerprint and source
) STRICT, WITHOUT ROWID;

CREATE TABLE persons (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL, -- argon2id
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    digest BLOB PRIMARY KEY, -- SHA-256 of the cookie's value
    person TEXT NOT NULL REFERENCES persons (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Tries to sign in since the last right one, so that a restart gives nobody new tries.
CREATE TABLE login_failures (
    subject TEXT PRIMARY KEY, -- an account or an address
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    name TEXT PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'operate', 'admin')),
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of the token
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

-- What a person was told of, by which channel; kept until a day after its all-clear.
CREATE TABLE told (
    channel TEXT NOT NULL, -- email | webhook
    code TEXT NOT NULL,
    touchpoint TEXT NOT NULL, -- by name; empty: none
    destination TEXT NOT NULL,
    text TEXT NOT NULL,
    mend TEXT NOT NULL,
    count INTEGER NOT NULL,
    since INTEGER NOT NULL,
    told_at INTEGER NOT NULL,
    gone_at INTEGER,
    cleared_at INTEGER, -- when the all-clear went
    returns INTEGER NOT NULL, -- how often it came back within a day of its all-clear
    PRIMARY KEY (channel, code, touchpoint, destination)
) STRICT, WITHOUT ROWID;
