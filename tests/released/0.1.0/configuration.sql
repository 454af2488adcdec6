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

INSERT INTO migrations VALUES (1, '0001_begin.sql', 1795521600724686);
INSERT INTO instance VALUES ('id', '327da5643845048eb6cfd0d74803410c');
INSERT INTO instance VALUES ('key_check', '33e4999d0be6fcfe');
INSERT INTO settings VALUES ('agent', 'host_public_url', '"http://127.0.0.1:@agent@"');
INSERT INTO settings VALUES ('agent', 'listen', '"127.0.0.1"');
INSERT INTO settings VALUES ('agent', 'mode', '"both"');
INSERT INTO settings VALUES ('agent', 'port', '@agent@');
INSERT INTO settings VALUES ('backup', 'at', '""');
INSERT INTO settings VALUES ('retention', 'free_disk', '"0B"');
INSERT INTO touchpoints VALUES (1, 'orders', '{"provider": "github", "secrets": ["stored:86b17f7fb811799b"], "reference": "json:/n", "aliases": ["sales"]}', NULL);
INSERT INTO touchpoints VALUES (2, 'returns', '{"provider": "github", "secrets": ["stored:86b17f7fb811799b"]}', NULL);
INSERT INTO touchpoints VALUES (3, 'stock', '{"provider": "github", "secrets": ["stored:86b17f7fb811799b"], "state": "hold"}', NULL);
INSERT INTO touchpoints VALUES (4, 'prices', '{"provider": "github", "secrets": ["stored:86b17f7fb811799b"]}', NULL);
INSERT INTO touchpoints VALUES (5, 'old', '{}', 1795521601205259);
INSERT INTO touchpoints VALUES (6, 'tasks', '{"provider": "asana", "secrets": ["stored:15126eb8bf74b8bc"]}', NULL);
INSERT INTO destinations VALUES (1, 1, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in", "concurrency": 4}', NULL);
INSERT INTO destinations VALUES (2, 2, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@gone@/in"}', NULL);
INSERT INTO destinations VALUES (3, 3, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in"}', NULL);
INSERT INTO destinations VALUES (4, 4, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@dead@/in"}', NULL);
INSERT INTO destinations VALUES (5, 5, 'erp', '{}', 1795521601205259);
INSERT INTO destinations VALUES (6, 6, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in"}', NULL);
INSERT INTO secrets VALUES ('15126eb8bf74b8bc', '', X'B371A225ACED001C5432C25158F9E3110ADFC415EC57776065CAC3E29918047D2D430DF5478ED143BB9EC176A13D162C13FED750915E5CD1B57EA4DD');
INSERT INTO secrets VALUES ('86b17f7fb811799b', '', X'3FE854A9A3ED544621AADFABC34FFD1F77AF935C726843BDE468108D61CDE4A970032E8F55992D3926DB293AEF5590228AA3077B0202');
INSERT INTO captured VALUES (6, 1795521601481187, '127.0.0.1', '15126eb8bf74b8bc');
INSERT INTO persons VALUES ('anna', '$argon2id$v=19$m=65536,t=3,p=4$ppUCol8+Yz83lyTA+ZtVqA$tvQPYNjA9gJhS2+X8gvcwhTi0Uq81B/sZbd5hS8Lvn4', 1795521600000000);
INSERT INTO sessions VALUES (X'41524382253B43E1E7F12A7A86F90649B4BD858B0F700A13FD2CB4AC6D13D795', 'anna', 1795521600000000, 1795521600000000);
INSERT INTO login_failures VALUES ('person:bert', 1, 1795521600000000);
INSERT INTO tokens VALUES ('program', 'admin', X'24179C0BB6BEA00EDA97D08ACC23F61F155308DA3BCED7915BA333601BC0ACA9', 1795521600000000, NULL);
INSERT INTO audit VALUES (1, 1795521601169090, 'machine', 'config.apply', 'agent.mode added, agent.host_public_url added, agent.listen added, agent.port added, retention.free_disk added, backup.at added, touchpoint.orders.name added, touchpoint.orders.provider added, touchpoint.orders.secrets added, touchpoint.orders.reference added, touchpoint.orders.aliases added, touchpoint.orders.destination.erp.name added, touchpoint.orders.destination.erp.kind added, touchpoint.orders.destination.erp.url added, touchpoint.orders.destination.erp.concurrency added, touchpoint.returns.name added, touchpoint.returns.provider added, touchpoint.returns.secrets added, touchpoint.returns.destination.erp.name added, touchpoint.returns.destination.erp.kind added, touchpoint.returns.destination.erp.url added, touchpoint.stock.name added, touchpoint.stock.provider added, touchpoint.stock.secrets added, touchpoint.stock.state added, touchpoint.stock.destination.erp.name added, touchpoint.stock.destination.erp.kind added, touchpoint.stock.destination.erp.url added, touchpoint.prices.name added, touchpoint.prices.provider added, touchpoint.prices.secrets added, touchpoint.prices.destination.erp.name added, touchpoint.prices.destination.erp.kind added, touchpoint.prices.destination.erp.url added, touchpoint.old.name added, touchpoint.old.provider added, touchpoint.old.secrets added, touchpoint.old.destination.erp.name added, touchpoint.old.destination.erp.kind added, touchpoint.old.destination.erp.url added, touchpoint.tasks.name added, touchpoint.tasks.provider added, touchpoint.tasks.secrets added, touchpoint.tasks.destination.erp.name added, touchpoint.tasks.destination.erp.kind added, touchpoint.tasks.destination.erp.url added');
INSERT INTO audit VALUES (2, 1795521601205259, 'machine', 'touchpoint.remove', 'touchpoint.old removed');
INSERT INTO audit VALUES (3, 1795521601308677, 'test', 'proxy.pair', 'acme at http://127.0.0.1:@box@, as one');
INSERT INTO audit VALUES (4, 1795521601481187, 'sender:127.0.0.1', 'secret.capture', 'touchpoint.tasks.secrets changed');
INSERT INTO audit VALUES (5, 1795521601910002, 'machine', 'touchpoint.test', 'orders delivered');
INSERT INTO audit VALUES (6, 1795521606154634, 'machine', 'events.dismiss', '1 changed, first 06h0qrb0l074e2uanaf07251vd-j2vu6gdh');
INSERT INTO audit VALUES (7, 1795521606159175, 'machine', 'events.replay', '1 changed, first 06h0qravvg4b64pv3geum76rgl');
INSERT INTO pairing VALUES (1, '{"id": "1@359c694bbc165c676e9fcfc57bc174c2", "url": "http://127.0.0.1:@box@", "organisation": 1, "domain": "acme", "wildcard": false, "agent_id": "06h0qrav08vnisdrjbpuqpfvf2", "agent_name": "one", "paired_at": 1795521601269001, "key_renewed_at": 1795521601269001, "proxy_key": "359c694bbc165c676e9fcfc57bc174c285019b399dacfb8b4e77376e757b60d7", "sealing_key": "d8db90c011fc25999424d82d7911fc93c82603af65937942d86c31d73d31b275"}', X'8BC993CDE16632FCC909F45D5FBB596CEF5351C0DF3596E78DCEF67252B3F66A591B65F7948DB1FE0BF0671E4957648CB06776B5F4BCCC368D78CCD62D9143C826515DDD4E9C14930E8B891EA446D93FCFDAAEA69ED018CAC73525E2ED6CDB50E5A70BC7EEFD6EA5625312B097FB6059489631B815C73BED17223E40A76BE6F27DAAB91D0E297989E55C291D034C749C086B14893ECED5DB2C8C50208940E1D8F999109179E776977143F641EEBEB7E82F8D084247659D150EC06CBC296DF0D1B21883D1F4208BC053FB45ED3750BE69EEC21146069B82AD6CA3CD3A970B0B5D28F2F6EA26C37626E92F2844859168F729AD10BF74D237C7246342C72D6410AA3A3326E6E4045EEE83609467D2475EE87F95009435FE');
INSERT INTO endpoint_tokens VALUES (1, 1, X'FE6CDD3164D312852E3572EAEB8DCB9FADBB2A153B19F5CBB894CE48EC3F88504CD5B0E24446CF731E0AB3E594A8F0E015BAC9579E768A2510424DDF', 0);
INSERT INTO endpoint_tokens VALUES (2, 2, X'D7F4B33AB86F4116CE82C00DAF04BE2AE3246845630DBFC6BCB0D7CC083BE995C600273F10E661DB7F70AA8A195B339FD49DAD0B82429D011FC449C6', 0);
INSERT INTO endpoint_tokens VALUES (3, 3, X'26C47699D2E23E870E617895DB0B73AA7EEC931B59431D70A2F85AD903CDE3EB5C768B3F52EB200E20581C48B8B36B073C4DE4A870F45469661BDAC3', 0);
INSERT INTO endpoint_tokens VALUES (4, 4, X'65A333711987CAAFC9BB2944ABBB21D9DCF54AED585DAA7053346DFE94D6C673121C7D5276BD482F0D9A8D4283FCDB01B49E8E2FDA51743C40B8EE2E', 0);
INSERT INTO endpoint_tokens VALUES (5, 6, X'875661D5E758212DD1B312986C32CDA9736FFD877613D0F5C36F6BB844BB6DAF5718F04083A08292950D265116D0CFAA3CBB02E462026B603021BFB7', 0);
INSERT INTO old_paths VALUES ('direct', 0, 0);
INSERT INTO old_paths VALUES ('proxy', 0, 0);
INSERT INTO told VALUES ('email', 'given_up', 'returns', 'erp', 'It was.', 'Look.', 1, 1795521600000000, 1795521600000000, NULL, NULL, 0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('audit', 7);
INSERT INTO sqlite_sequence VALUES ('destinations', 6);
INSERT INTO sqlite_sequence VALUES ('touchpoints', 6);
PRAGMA user_version = 1;
COMMIT;
