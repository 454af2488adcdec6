-- Every received webhook, without its body. seq is the order of receipt and is never given twice.
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
CREATE INDEX events_touchpoint ON events (touchpoint);
CREATE INDEX events_reference ON events (reference) WHERE reference IS NOT NULL;
CREATE INDEX events_duplicate_of ON events (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX events_item_of ON events (item_of) WHERE item_of IS NOT NULL;
-- Refused events that are kept whole, with all that retention decides by.
CREATE INDEX events_refused ON events (touchpoint, seq, body_bytes, arrived_by, received_at) WHERE verdict = 'refused' AND body_kept = 1;
-- Events of touchpoints that were not there to verify them.
CREATE INDEX events_lacking ON events (touchpoint) WHERE reason = 'touchpoint_lacking' AND body_kept = 1;
CREATE INDEX events_not_accepted ON events (verdict, touchpoint) WHERE verdict != 'accepted';

-- Events that wait to be planned.
CREATE TABLE inbox (seq INTEGER PRIMARY KEY) STRICT;

-- Bodies in parts of up to 1 MiB; place = event seq << 16 | part.
CREATE TABLE bodies (place INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

-- Dedup keys claimed by verified events; body_hash is empty where the signature covers the key.
CREATE TABLE claims (
    touchpoint INTEGER NOT NULL,
    dedup_key TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    event_seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (touchpoint, dedup_key, body_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_at ON claims (at);

-- One event on its way to one destination. Found by id through its event, whose id it begins with.
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

CREATE INDEX deliveries_pending ON deliveries (destination, order_key, due_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_open ON deliveries (state, event_seq, destination) WHERE state != 'delivered';
CREATE INDEX deliveries_event ON deliveries (event_seq);

-- place = delivery seq << 16 | attempt number.
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

CREATE TABLE health (
    destination INTEGER PRIMARY KEY,
    failures INTEGER NOT NULL,
    down_since INTEGER,
    probe_at INTEGER NOT NULL,
    error_code TEXT NOT NULL,
    error TEXT NOT NULL,
    ramp INTEGER NOT NULL
) STRICT;

-- How many are in a state, so that no count is a scan. `whose` is a destination, for refused a touchpoint, for inbox 0.
CREATE TABLE counters (
    state TEXT NOT NULL,
    whose INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (state, whose)
) STRICT, WITHOUT ROWID;

CREATE TABLE last_events (touchpoint INTEGER PRIMARY KEY, received_at INTEGER NOT NULL) STRICT;

CREATE TABLE refusals (
    touchpoint INTEGER NOT NULL,
    day INTEGER NOT NULL, -- since 1970-01-01 UTC
    reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (touchpoint, day, reason)
) STRICT, WITHOUT ROWID;

-- What came and went in each minute since 1970, for the charts; tests left out.
CREATE TABLE minutes (
    minute INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    given_up INTEGER NOT NULL
) STRICT;

-- How long deliveries took, from receipt to answer, by bucket (see store.statistics).
CREATE TABLE latencies (
    minute INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (minute, bucket)
) STRICT, WITHOUT ROWID;

-- The incarnations of hosted proxies that events were pulled from, in the order they were met.
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

-- Pulled events that another agent may still get. They stand apart from `events`, so that nothing shows, runs or prunes them;
-- one that is dropped leaves no trace.
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

-- Their bodies, as in `bodies`; place = place in `docked` << 16 | part.
CREATE TABLE docked_bodies (place INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

-- Pulled events that went on and are not yet known to be settled.
CREATE TABLE pulled (
    source INTEGER NOT NULL,
    number INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    PRIMARY KEY (source, number, event_seq)
) STRICT, WITHOUT ROWID;

-- In which minutes of an hour since 1970 events came to a touchpoint, a bit for each, so that a long quiet can be told.
CREATE TABLE arrivals (
    touchpoint INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    minutes INTEGER NOT NULL,
    PRIMARY KEY (touchpoint, hour)
) STRICT, WITHOUT ROWID;
