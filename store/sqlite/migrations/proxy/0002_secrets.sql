CREATE TABLE secrets (
    fingerprint TEXT PRIMARY KEY,
    source TEXT NOT NULL, -- env:NAME or file:PATH, read anew at each start; empty: the secret itself was given
    sealed BLOB NOT NULL -- bound to fingerprint and source
) STRICT, WITHOUT ROWID;
