CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    signing_key BLOB NOT NULL, -- public Ed25519
    next_signing_key BLOB NOT NULL DEFAULT x'',
    exchange_key BLOB NOT NULL, -- public X25519
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'revoked')),
    wrapped_key BLOB NOT NULL DEFAULT x'', -- the organisation's private key, for this agent alone
    version TEXT NOT NULL,
    paired_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    lacking TEXT NOT NULL DEFAULT '[]' -- JSON list of touchpoints
) STRICT, WITHOUT ROWID;

CREATE INDEX agents_organisation ON agents (organisation, paired_at);

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE TABLE codes (
    find TEXT PRIMARY KEY,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    sealed BLOB NOT NULL, -- the part that is never sent; bound to `find` and organisation
    replaces TEXT NOT NULL, -- id of an agent, or empty
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    agent TEXT NOT NULL DEFAULT '' -- that spent it
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    touchpoint TEXT NOT NULL,
    place INTEGER NOT NULL,
    token_digest BLOB NOT NULL UNIQUE, -- SHA-256
    sealed BLOB NOT NULL, -- the token, which only agents can open
    declared INTEGER NOT NULL,
    retiring INTEGER NOT NULL,
    retires_at INTEGER
) STRICT;

CREATE INDEX endpoints_organisation ON endpoints (organisation, touchpoint);

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

CREATE TABLE organisations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL, -- the proxy domain
    quota_events INTEGER,
    quota_bytes INTEGER,
    sealing_key BLOB, -- public X25519 half
    recovery_box BLOB NOT NULL DEFAULT x'',
    declaration TEXT NOT NULL DEFAULT '', -- digest of the one that counts
    created_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX organisations_by_name ON organisations (name) WHERE removed_at IS NULL;

CREATE INDEX organisations_removed ON organisations (name, removed_at) WHERE removed_at IS NOT NULL;

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

CREATE TABLE touchpoints (
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    place INTEGER NOT NULL, -- in the declaration
    declared INTEGER NOT NULL,
    aliases TEXT NOT NULL, -- JSON
    state TEXT NOT NULL,
    methods TEXT NOT NULL, -- JSON
    ack TEXT NOT NULL, -- the name of the answer to an accepted event
    handshake TEXT NOT NULL,
    PRIMARY KEY (organisation, name)
) STRICT, WITHOUT ROWID;
