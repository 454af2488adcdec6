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

INSERT INTO migrations VALUES (1, '0001_begin.sql', 1795521600536781);
INSERT INTO instance VALUES ('id', 'b8fda47c5cc5c826df0d3d5dbdb668a8');
INSERT INTO instance VALUES ('key_check', 'b47f6380f5857948');
INSERT INTO settings VALUES ('agent', 'host_public_url', '"http://127.0.0.1:@agent@"');
INSERT INTO settings VALUES ('agent', 'listen', '"127.0.0.1"');
INSERT INTO settings VALUES ('agent', 'mode', '"both"');
INSERT INTO settings VALUES ('agent', 'port', '@agent@');
INSERT INTO settings VALUES ('backup', 'at', '""');
INSERT INTO settings VALUES ('retention', 'free_disk', '"0B"');
INSERT INTO touchpoints VALUES (1, 'orders', '{"provider": "github", "secrets": ["stored:bfb2cb5b70c71d7d"], "reference": "json:/n", "aliases": ["sales"]}', NULL);
INSERT INTO touchpoints VALUES (2, 'returns', '{"provider": "github", "secrets": ["stored:bfb2cb5b70c71d7d"]}', NULL);
INSERT INTO touchpoints VALUES (3, 'stock', '{"provider": "github", "secrets": ["stored:bfb2cb5b70c71d7d"], "state": "hold"}', NULL);
INSERT INTO touchpoints VALUES (4, 'prices', '{"provider": "github", "secrets": ["stored:bfb2cb5b70c71d7d"]}', NULL);
INSERT INTO touchpoints VALUES (5, 'old', '{}', 1795521600764080);
INSERT INTO touchpoints VALUES (6, 'tasks', '{"provider": "asana", "secrets": ["stored:1b55aec7b38b9367"]}', NULL);
INSERT INTO destinations VALUES (1, 1, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in", "concurrency": 4}', NULL);
INSERT INTO destinations VALUES (2, 2, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@gone@/in"}', NULL);
INSERT INTO destinations VALUES (3, 3, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in"}', NULL);
INSERT INTO destinations VALUES (4, 4, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@dead@/in"}', NULL);
INSERT INTO destinations VALUES (5, 5, 'erp', '{}', 1795521600764080);
INSERT INTO destinations VALUES (6, 6, 'erp', '{"kind": "http", "url": "http://127.0.0.1:@sink@/in"}', NULL);
INSERT INTO secrets VALUES ('1b55aec7b38b9367', '', X'70D1BE9B0D7DBABB5D8949E6FFAF4E2D8431337B6227D69F088BF2B315BAA5E33C00A44584CB1071CA08CB5E8568DBE355A52CD9864C086EE0DB0078');
INSERT INTO secrets VALUES ('bfb2cb5b70c71d7d', '', X'830E1D1EDBBE8D2D49AD71AFD7C226604A3F6E7090C6B0C7ABF6E1AB05644FC50FFC5586F7C6867E1CBE0E4D25EFBCCC1D0F4DEC86E3');
INSERT INTO captured VALUES (6, 1795521600920023, '127.0.0.1', '1b55aec7b38b9367');
INSERT INTO persons VALUES ('anna', '$argon2id$v=19$m=65536,t=3,p=4$QOOJHLbbfib/2TND1AqFTQ$eOS8LJR5PiV/My9o9q3ve8QtmWf45gCEPZSyKnMTJ6Y', 1795521600000000);
INSERT INTO sessions VALUES (X'41524382253B43E1E7F12A7A86F90649B4BD858B0F700A13FD2CB4AC6D13D795', 'anna', 1795521600000000, 1795521600000000);
INSERT INTO login_failures VALUES ('person:bert', 1, 1795521600000000);
INSERT INTO tokens VALUES ('program', 'admin', X'24179C0BB6BEA00EDA97D08ACC23F61F155308DA3BCED7915BA333601BC0ACA9', 1795521600000000, NULL);
INSERT INTO audit VALUES (1, 1795521600753059, 'machine', 'config.apply', 'agent.mode added, agent.host_public_url added, agent.listen added, agent.port added, retention.free_disk added, backup.at added, touchpoint.orders.name added, touchpoint.orders.provider added, touchpoint.orders.secrets added, touchpoint.orders.reference added, touchpoint.orders.aliases added, touchpoint.orders.destination.erp.name added, touchpoint.orders.destination.erp.kind added, touchpoint.orders.destination.erp.url added, touchpoint.orders.destination.erp.concurrency added, touchpoint.returns.name added, touchpoint.returns.provider added, touchpoint.returns.secrets added, touchpoint.returns.destination.erp.name added, touchpoint.returns.destination.erp.kind added, touchpoint.returns.destination.erp.url added, touchpoint.stock.name added, touchpoint.stock.provider added, touchpoint.stock.secrets added, touchpoint.stock.state added, touchpoint.stock.destination.erp.name added, touchpoint.stock.destination.erp.kind added, touchpoint.stock.destination.erp.url added, touchpoint.prices.name added, touchpoint.prices.provider added, touchpoint.prices.secrets added, touchpoint.prices.destination.erp.name added, touchpoint.prices.destination.erp.kind added, touchpoint.prices.destination.erp.url added, touchpoint.old.name added, touchpoint.old.provider added, touchpoint.old.secrets added, touchpoint.old.destination.erp.name added, touchpoint.old.destination.erp.kind added, touchpoint.old.destination.erp.url added, touchpoint.tasks.name added, touchpoint.tasks.provider added, touchpoint.tasks.secrets added, touchpoint.tasks.destination.erp.name added, touchpoint.tasks.destination.erp.kind added, touchpoint.tasks.destination.erp.url added');
INSERT INTO audit VALUES (2, 1795521600764080, 'machine', 'touchpoint.remove', 'touchpoint.old removed');
INSERT INTO audit VALUES (3, 1795521600808518, 'test', 'proxy.pair', 'acme at http://127.0.0.1:36401, as one');
INSERT INTO audit VALUES (4, 1795521600920023, 'sender:127.0.0.1', 'secret.capture', 'touchpoint.tasks.secrets changed');
INSERT INTO audit VALUES (5, 1795521601176589, 'machine', 'touchpoint.test', 'orders delivered');
INSERT INTO audit VALUES (6, 1795521605740695, 'machine', 'events.dismiss', '1 changed, first 06h0qrau2c3cnhb3fji7o1ctsm-j2vu6gdh');
INSERT INTO audit VALUES (7, 1795521605747822, 'machine', 'events.replay', '1 changed, first 06h0qratlc5g6nhntm9ht88bs7');
INSERT INTO pairing VALUES (1, '{"id": "1@5445188b98feb8463aaff92ffcc1b3b2", "url": "http://127.0.0.1:36401", "organisation": 1, "domain": "acme", "wildcard": false, "agent_id": "06h0qrat444n2phgqochj4h0po", "agent_name": "one", "paired_at": 1795521600793540, "key_renewed_at": 1795521600793540, "proxy_key": "5445188b98feb8463aaff92ffcc1b3b2d29ff516995340eaa816cdc5b92b45bf", "sealing_key": "d5cd9aa64e831598ae6c6102601db57034d7535cb83840cd75d836788ba38145"}', X'36E325D9170BF6506103C7BB1861D9E6031882ADA974E78CFA4C5AEA35332C6E92C4C69E57BC6582BF026CC83AE9EFFA00D4708180E7B8F773E2EFEC20C1CE33FD00EED90E70774544BBB364B3BC377512F024EE15E15E3564D66516A131711989BD63FE39CB168E3069453CF0B147460C3C096E930788C419FE48759A7EA468B15F9C2D7A2AE6F38A1D0C02B11660293BBC4547D823AFDCB654F7E5EA87502DC754C3608EDA23CB23B3C5FA24744975A0DD91282513E032BB43644B0CDA0FB55DE54F875A51D67E15132C229EADA7186C340EB0CECA76B998DA8B44D1A1587F440379EA8E81417E40931AC6518DCB857FECF1486721B605C995BBB5556826E5A9FF4B5EF55007A25DC5BFB8A0A7DFDD785A1AB2D1D89376C72ADC8320BBBBB338C2C65B165F0190');
INSERT INTO endpoint_tokens VALUES (1, 1, X'4CAFA23B34063AA324564647B9D5623C73F826B3D76B5F16F04D65001F1D43678F16DCA69462C0EFF113EAC7B5831E81BE417B925B65A1885FF5A7CC', 0);
INSERT INTO endpoint_tokens VALUES (2, 2, X'B70D1F13AD05E6EF3855CEA894725920A964653B66BA7212CD5328882AFA29329DFC496CF6825FD216F3C362A0B60F284C4FCE5386CBA8AE1DE9EB99', 0);
INSERT INTO endpoint_tokens VALUES (3, 3, X'8A260DE236290E0F9F2E64B9C60371F66618863D21251C6642BC6361C501BE1DD2F45C245F74BF1CE975C5126CA3ED07434FF6157C87E1BA8EB03D2F', 0);
INSERT INTO endpoint_tokens VALUES (4, 4, X'D95B2D4CD69721ECD8FF8835437A280AB4F36E9DFD0ABED5796D01041D961B2B4C41904FBBD8492C202B549346B521F836992B3D8EFF75264C5BE16E', 0);
INSERT INTO endpoint_tokens VALUES (5, 6, X'6FA44966F45F6CFBC35505D6461CF59DF3F4261A50B0BCC222151A4FA265D479FD23A4CBEAED1672308DC3DF189698C2A98FE126F548D9847CE46682', 0);
INSERT INTO old_paths VALUES ('direct', 0, 0);
INSERT INTO old_paths VALUES ('proxy', 0, 0);
INSERT INTO told VALUES ('email', 'given_up', 'returns', 'erp', 'It was.', 'Look.', 1, 1795521600000000, 1795521600000000, NULL, NULL, 0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('audit', 7);
INSERT INTO sqlite_sequence VALUES ('destinations', 6);
INSERT INTO sqlite_sequence VALUES ('touchpoints', 6);
PRAGMA user_version = 1;
COMMIT;
