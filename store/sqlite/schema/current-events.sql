CREATE TABLE arrivals (
    touchpoint INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    minutes INTEGER NOT NULL,
    PRIMARY KEY (touchpoint, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    place INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    blame TEXT,
    http_status INTEGER,
    error_code TEXT NOT NULL,
    error TEXT NOT NULL,
    answer BLOB NOT NULL,
    next_attempt_at INTEGER
) STRICT;

CREATE TABLE bodies (place INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

CREATE TABLE claims (
    touchpoint INTEGER NOT NULL,
    dedup_key TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    event_seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (touchpoint, dedup_key, body_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_at ON claims (at);

CREATE TABLE counters (
    state TEXT NOT NULL,
    whose INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (state, whose)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY,
    event_seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    touchpoint INTEGER NOT NULL,
    destination INTEGER NOT NULL,
    run INTEGER NOT NULL,
    state TEXT NOT NULL,
    order_key TEXT NOT NULL DEFAULT '',
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    settled_at INTEGER
) STRICT;

CREATE INDEX deliveries_event ON deliveries (event_seq);

CREATE INDEX deliveries_open ON deliveries (state, event_seq, destination) WHERE state != 'delivered';

CREATE INDEX deliveries_pending ON deliveries (destination, order_key, due_at, seq) WHERE state = 'pending';

CREATE TABLE docked (
    place INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,
    epoch INTEGER NOT NULL, -- of the lease under which it was pulled
    number INTEGER NOT NULL, -- the proxy's
    id TEXT NOT NULL UNIQUE,
    touchpoint INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    arrived_by TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    headers BLOB NOT NULL,
    remote TEXT NOT NULL,
    event_type TEXT NOT NULL,
    dedup_key TEXT,
    reference TEXT,
    body_bytes INTEGER NOT NULL,
    body_hash BLOB NOT NULL,
    id_signed INTEGER NOT NULL,
    test INTEGER NOT NULL,
    hop INTEGER NOT NULL
) STRICT;

CREATE INDEX docked_berth ON docked (source, epoch, number);

CREATE TABLE docked_bodies (place INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    touchpoint INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    arrived_by TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    headers BLOB NOT NULL, -- "name: value" lines divided by CRLF
    remote TEXT NOT NULL,
    event_type TEXT NOT NULL,
    dedup_key TEXT,
    reference TEXT,
    body_bytes INTEGER NOT NULL,
    body_hash BLOB NOT NULL,
    id_signed INTEGER NOT NULL,
    test INTEGER NOT NULL,
    hop INTEGER NOT NULL,
    body_kept INTEGER NOT NULL DEFAULT 1, -- 0: pruned
    duplicate_of INTEGER, -- seq of the event that this one repeats
    item_of INTEGER, -- seq of the event whose body this one stood in
    flags TEXT NOT NULL DEFAULT '' -- words divided by spaces: same_id_other_body dismissed
) STRICT;

CREATE INDEX events_age ON events (body_kept, received_at);

CREATE INDEX events_duplicate_of ON events (duplicate_of) WHERE duplicate_of IS NOT NULL;

CREATE INDEX events_item_of ON events (item_of) WHERE item_of IS NOT NULL;

CREATE INDEX events_lacking ON events (touchpoint) WHERE reason = 'touchpoint_lacking' AND body_kept = 1;

CREATE INDEX events_not_accepted ON events (verdict, touchpoint) WHERE verdict != 'accepted';

CREATE INDEX events_reference ON events (reference) WHERE reference IS NOT NULL;

CREATE INDEX events_refused ON events (touchpoint, seq, body_bytes, arrived_by, received_at) WHERE verdict = 'refused' AND body_kept = 1;

CREATE INDEX events_touchpoint ON events (touchpoint);

CREATE TABLE health (
    destination INTEGER PRIMARY KEY,
    failures INTEGER NOT NULL,
    down_since INTEGER,
    probe_at INTEGER NOT NULL,
    error_code TEXT NOT NULL,
    error TEXT NOT NULL,
    ramp INTEGER NOT NULL
) STRICT;

CREATE TABLE inbox (seq INTEGER PRIMARY KEY) STRICT;

CREATE TABLE last_events (touchpoint INTEGER PRIMARY KEY, received_at INTEGER NOT NULL) STRICT;

CREATE TABLE latencies (
    minute INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (minute, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL) STRICT;

CREATE TABLE minutes (
    minute INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    given_up INTEGER NOT NULL
) STRICT;

CREATE TABLE pulled (
    source INTEGER NOT NULL,
    number INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    PRIMARY KEY (source, number, event_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
    touchpoint INTEGER NOT NULL,
    day INTEGER NOT NULL, -- since 1970-01-01 UTC
    reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (touchpoint, day, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    proxy TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0, -- the highest of its numbers ever stored
    seen_id TEXT NOT NULL DEFAULT '', -- its event's: a proxy that gives the number to another event was restored
    released INTEGER NOT NULL DEFAULT 0, -- the highest that ever went on into `events`
    unsettled INTEGER NOT NULL DEFAULT 0, -- rows in `pulled`
    UNIQUE (proxy, incarnation)
) STRICT;
