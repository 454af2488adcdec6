-- with shared/instance.sql

-- Ids are never used again: the delivery log names touchpoints and destinations long after they are gone.
CREATE TABLE touchpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    document TEXT NOT NULL, -- JSON in the shape of the file, each secret as stored:FINGERPRINT
    removed_at INTEGER -- 0: it never was: its id is kept for events that a proxy had for it
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

-- Secrets that a sender set itself, until a person has seen it.
CREATE TABLE captured (
    touchpoint INTEGER PRIMARY KEY REFERENCES touchpoints (id),
    at INTEGER NOT NULL,
    remote TEXT NOT NULL,
    fingerprint TEXT NOT NULL -- the secret's: with another one in its place this is no news any more
) STRICT;

-- with shared/people.sql

-- Who this agent is at a hosted proxy; one row at most.
CREATE TABLE pairing (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    document TEXT NOT NULL, -- JSON of what is no secret, bytes in hex
    keys BLOB NOT NULL -- sealed JSON of the private keys
) STRICT;

-- Tokens of endpoint URLs at the proxy.
CREATE TABLE endpoint_tokens (
    number INTEGER PRIMARY KEY,
    touchpoint INTEGER NOT NULL,
    sealed BLOB NOT NULL, -- bound to its touchpoint
    retiring INTEGER NOT NULL
) STRICT;

-- Ways in that are in use, or being given up after a switch.
CREATE TABLE old_paths (
    path TEXT PRIMARY KEY CHECK (path IN ('direct', 'proxy')),
    since INTEGER NOT NULL, -- when it was switched off; 0: it is in use
    used_at INTEGER NOT NULL -- when it last brought a verified event
) STRICT, WITHOUT ROWID;

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
