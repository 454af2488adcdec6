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
