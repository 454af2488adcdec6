-- with shared/instance.sql

-- Tenants. Ids are never used again; a removed one's row stays, so that its name can rest.
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

CREATE TABLE codes (
    find TEXT PRIMARY KEY,
    organisation INTEGER NOT NULL REFERENCES organisations (id),
    sealed BLOB NOT NULL, -- the part that is never sent; bound to `find` and organisation
    replaces TEXT NOT NULL, -- id of an agent, or empty
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    agent TEXT NOT NULL DEFAULT '' -- that spent it
) STRICT, WITHOUT ROWID;

-- What the lease holder declared; one that is gone stays for as long as a token of it is answered.
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

CREATE TABLE secrets (
    fingerprint TEXT PRIMARY KEY,
    source TEXT NOT NULL, -- env:NAME or file:PATH, read anew at each start; empty: the secret itself was given
    sealed BLOB NOT NULL -- bound to fingerprint and source
) STRICT, WITHOUT ROWID;

-- with shared/people.sql
