CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE TABLE captured (
    touchpoint INTEGER PRIMARY KEY REFERENCES touchpoints (id),
    at INTEGER NOT NULL,
    remote TEXT NOT NULL,
    fingerprint TEXT NOT NULL -- the secret's: with another one in its place this is no news any more
) STRICT;

CREATE TABLE destinations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    touchpoint INTEGER NOT NULL REFERENCES touchpoints (id),
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    removed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX destinations_by_name ON destinations (touchpoint, name) WHERE removed_at IS NULL;

CREATE TABLE endpoint_tokens (
    number INTEGER PRIMARY KEY,
    touchpoint INTEGER NOT NULL,
    sealed BLOB NOT NULL, -- bound to its touchpoint
    retiring INTEGER NOT NULL
) STRICT;

CREATE TABLE instance (
    key TEXT PRIMARY KEY, -- id | key_check | applied_digest | link_wanted
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE login_failures (
    subject TEXT PRIMARY KEY, -- an account or an address
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL) STRICT;

CREATE TABLE old_paths (
    path TEXT PRIMARY KEY CHECK (path IN ('direct', 'proxy')),
    since INTEGER NOT NULL, -- when it was switched off; 0: it is in use
    used_at INTEGER NOT NULL -- when it last brought a verified event
) STRICT, WITHOUT ROWID;

CREATE TABLE pairing (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    document TEXT NOT NULL, -- JSON of what is no secret, bytes in hex
    keys BLOB NOT NULL -- sealed JSON of the private keys
) STRICT;

CREATE TABLE persons (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL, -- argon2id
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    fingerprint TEXT PRIMARY KEY,
    source TEXT NOT NULL, -- env:NAME or file:PATH, read anew at each start; empty: the secret itself was given
    sealed BLOB NOT NULL -- bound to fingerprint and source
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    digest BLOB PRIMARY KEY, -- SHA-256 of the cookie's value
    person TEXT NOT NULL REFERENCES persons (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    section TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, -- JSON
    PRIMARY KEY (section, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE sqlite_sequence(name,seq);

CREATE TABLE tokens (
    name TEXT PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'operate', 'admin')),
    digest BLOB NOT NULL UNIQUE, -- SHA-256 of the token
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;

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

CREATE TABLE touchpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    document TEXT NOT NULL, -- JSON in the shape of the file, each secret as stored:FINGERPRINT
    removed_at INTEGER -- 0: it never was: its id is kept for events that a proxy had for it
) STRICT;

CREATE UNIQUE INDEX touchpoints_by_name ON touchpoints (name) WHERE removed_at IS NULL;
