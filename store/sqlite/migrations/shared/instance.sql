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
