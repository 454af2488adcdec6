PRAGMA page_size = 8192;
PRAGMA auto_vacuum = 2;
PRAGMA journal_mode = WAL;
PRAGMA application_id = 1212891983;
PRAGMA synchronous = OFF;
BEGIN;
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

INSERT INTO migrations VALUES (1, '0001_begin.sql', 1795521601090911);
INSERT INTO instance VALUES ('id', '8e433a8bebbd14875eec6d0b20f32f88');
INSERT INTO instance VALUES ('key_check', 'c00d7339f75a2fb5');
INSERT INTO settings VALUES ('agent', 'host_public_url', '"http://127.0.0.1:@agent@"');
INSERT INTO settings VALUES ('agent', 'listen', '"127.0.0.1"');
INSERT INTO settings VALUES ('agent', 'mode', '"both"');
INSERT INTO settings VALUES ('agent', 'port', '@agent@');
INSERT INTO settings VALUES ('backup', 'at', '""');
INSERT INTO settings VALUES ('retention', 'free_disk', '"0B"');
INSERT INTO touchpoints VALUES (1, 'orders', '{"provider": "github", "secrets": ["stored:b0e0b00273478de1"], "reference": "json:/n", "aliases": ["sales"]}', NULL);
INSERT INTO touchpoints VALUES (2, 'returns', '{"provider": "github", "secrets": ["stored:b0e0b00273478de1"]}', NULL);
INSERT INTO touchpoints VALUES (3, 'stock', '{"provider": "github", "secrets": ["stored:b0e0b00273478de1"], "state": "hold"}', NULL);
INSERT INTO touchpoints VALUES (4, 'prices', '{"provider": "github", "secrets": ["stored:b0e0b00273478de1"]}', NULL);
INSERT INTO touchpoints VALUES (5, 'old', '{}', 1795521601805197);
INSERT INTO touchpoints VALUES (6, 'tasks', '{"provider": "asana", "secrets": ["stored:08857f048b84f7c0"]}', NULL);
INSERT INTO destinations VALUES (1, 1, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in", "concurrency": 4}', NULL);
INSERT INTO destinations VALUES (2, 2, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@gone@/in"}', NULL);
INSERT INTO destinations VALUES (3, 3, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in"}', NULL);
INSERT INTO destinations VALUES (4, 4, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@dead@/in"}', NULL);
INSERT INTO destinations VALUES (5, 5, 'erp', '{}', 1795521601805197);
INSERT INTO destinations VALUES (6, 6, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in"}', NULL);
INSERT INTO secrets VALUES ('08857f048b84f7c0', '', X'E629FDD78CDEA951C019DB49A168D806B9BF5C5781D0E62DEC361F5792E4AA844A9FF2FF9C634CF87401F1033B5FF75D85E18FC558F018323F807B1F');
INSERT INTO secrets VALUES ('b0e0b00273478de1', '', X'C41E2075FF0EC5DD18486F3AB5F2359FB4036ED099E0F323ACD32567BCF5FB76F3968529F95451F127140D97821A8CFE593B1C72A9C8');
INSERT INTO captured VALUES (6, 1795521601922875, '127.0.0.1', '08857f048b84f7c0');
INSERT INTO persons VALUES ('anna', '$argon2id$v=19$m=65536,t=3,p=4$Yo4JbSC73T9z7n9/N1tA/A$z4HHqb0PFYVapxuypPLoR45hqBcneVWXHHOnTp+FeHM', 1795521600000000);
INSERT INTO sessions VALUES (X'41524382253B43E1E7F12A7A86F90649B4BD858B0F700A13FD2CB4AC6D13D795', 'anna', 1795521600000000, 1795521600000000);
INSERT INTO login_failures VALUES ('person:bert', 1, 1795521600000000);
INSERT INTO tokens VALUES ('program', 'admin', X'24179C0BB6BEA00EDA97D08ACC23F61F155308DA3BCED7915BA333601BC0ACA9', 1795521600000000, NULL);
INSERT INTO audit VALUES (1, 1795521601785750, 'machine', 'config.apply', 'agent.mode added, agent.host_public_url added, agent.listen added, agent.port added, retention.free_disk added, backup.at added, touchpoint.orders.name added, touchpoint.orders.provider added, touchpoint.orders.secrets added, touchpoint.orders.reference added, touchpoint.orders.aliases added, touchpoint.orders.destination.erp.name added, touchpoint.orders.destination.erp.kind added, touchpoint.orders.destination.erp.url added, touchpoint.orders.destination.erp.concurrency added, touchpoint.returns.name added, touchpoint.returns.provider added, touchpoint.returns.secrets added, touchpoint.returns.destination.erp.name added, touchpoint.returns.destination.erp.kind added, touchpoint.returns.destination.erp.url added, touchpoint.stock.name added, touchpoint.stock.provider added, touchpoint.stock.secrets added, touchpoint.stock.state added, touchpoint.stock.destination.erp.name added, touchpoint.stock.destination.erp.kind added, touchpoint.stock.destination.erp.url added, touchpoint.prices.name added, touchpoint.prices.provider added, touchpoint.prices.secrets added, touchpoint.prices.destination.erp.name added, touchpoint.prices.destination.erp.kind added, touchpoint.prices.destination.erp.url added, touchpoint.old.name added, touchpoint.old.provider added, touchpoint.old.secrets added, touchpoint.old.destination.erp.name added, touchpoint.old.destination.erp.kind added, touchpoint.old.destination.erp.url added, touchpoint.tasks.name added, touchpoint.tasks.provider added, touchpoint.tasks.secrets added, touchpoint.tasks.destination.erp.name added, touchpoint.tasks.destination.erp.kind added, touchpoint.tasks.destination.erp.url added');
INSERT INTO audit VALUES (2, 1795521601805197, 'machine', 'touchpoint.remove', 'touchpoint.old removed');
INSERT INTO audit VALUES (3, 1795521601851668, 'test', 'proxy.pair', 'acme at http://127.0.0.1:34071, as one');
INSERT INTO audit VALUES (4, 1795521601922875, 'sender:127.0.0.1', 'secret.capture', 'touchpoint.tasks.secrets changed');
INSERT INTO audit VALUES (5, 1795521602421050, 'machine', 'touchpoint.test', 'orders delivered');
INSERT INTO audit VALUES (6, 1795521606710869, 'machine', 'events.dismiss', '1 changed, first 06h0qrb2fo2j3j3i70mn573eho-j2vu6gdh');
INSERT INTO audit VALUES (7, 1795521606714266, 'machine', 'events.replay', '1 changed, first 06h0qrb1k8406vup6392au07pl');
INSERT INTO pairing VALUES (1, '{"id": "1@b361f47b9cad276415e9536146320252", "url": "http://127.0.0.1:34071", "organisation": 1, "domain": "acme", "wildcard": false, "agent_id": "06h0qrb15gkdjo8lfit45omjp1", "agent_name": "one", "paired_at": 1795521601831775, "key_renewed_at": 1795521601831775, "proxy_key": "b361f47b9cad276415e9536146320252e14e224b5babf564ba2a5252d0d37839", "sealing_key": "2d35a8b31cb1a84a07ece7ddaf103dd41a56e49bfe51383dd6730bd19ab3690b"}', X'E0FB6607532968235769E262FBC28F4AA909366AF675F66A915F395101AEFE088C04077109DB0558499C51BF553828E70B6301F9BB8889C4FA33C8CCC5CE84A5B31D2688E9682646DD607085510DE55B883BABF3844E6274F42E266737628E731BE5831218267A1B6FB1BA963E88C32E8F32D4FAB700F5BFC2FAD752B3256897DC2C3FED505302A29CD8E5E7039F872F009759C2BA6D786892A3696D0A24E6F19990712F3904E1125D38AC4A5FBB9F0C0BE5F37A063F3808E862DCC3C6045A45935E6BA3874279E4DFEB326768EF418F6AD1888E05818BD94719A718722DB30D643A02F10AA2DCFEEB793E1B0D747863FA14F04582C268335E8C0AE0AAD8DAE400747D6C77F42C492C193469B4D0778CC334EAC3C927');
INSERT INTO endpoint_tokens VALUES (1, 1, X'99D4EA760A12817BFD964BA83FB3225F73C3C386D2FF4A04EDEA71AA73FA682809BFDDC4C76C9CAA6FC8DEB6B621D0FB1C768EC298AD9022D65A6D3E', 0);
INSERT INTO endpoint_tokens VALUES (2, 2, X'838F3E71E1A2308EC94A157A25BEC3F3594BF6A0FFBFE361853B2A756E045A6C696A85782016F082A4C4AC2F00693C8BC4243258F1140000FCECB3EF', 0);
INSERT INTO endpoint_tokens VALUES (3, 3, X'C88CEE22D16319840D51865A9C2C529BDB2CB5307CF9D0C6C8F815979347C6609CEFEF465B684072F21B0C7D8C265FB939FFBFE4DD6BD298E9EF358D', 0);
INSERT INTO endpoint_tokens VALUES (4, 4, X'FC120B4395875FC436F7010CA87210F90B178152A2B511C7C9A81DEBFFD412A45AD075CD562610A1E76E743EBBA4A11937630A580F743260BECF6881', 0);
INSERT INTO endpoint_tokens VALUES (5, 6, X'6247E896363C62AD527FD7B7F07DF140C66DC41B1801B8B992AB1EA69B633B8CFFC8F048E108CA7AEA08961527B96B9D922807E19937B2093F681174', 0);
INSERT INTO old_paths VALUES ('direct', 0, 0);
INSERT INTO old_paths VALUES ('proxy', 0, 0);
INSERT INTO told VALUES ('email', 'given_up', 'returns', 'erp', 'It was.', 'Look.', 1, 1795521600000000, 1795521600000000, NULL, NULL, 0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('audit', 7);
INSERT INTO sqlite_sequence VALUES ('destinations', 6);
INSERT INTO sqlite_sequence VALUES ('touchpoints', 6);
PRAGMA user_version = 1;
COMMIT;
