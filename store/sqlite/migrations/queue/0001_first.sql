-- What lanes that are made from now on begin with.
CREATE TABLE beginnings (
    restores INTEGER PRIMARY KEY, -- how often the whole file was put back from a backup; the highest counts
    incarnation TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- Earlier incarnations of a lane, which was restored since: what agents heard of it past the backup is not known here.
CREATE TABLE incarnations (
    organisation INTEGER NOT NULL,
    incarnation TEXT NOT NULL,
    at INTEGER NOT NULL, -- when it ended
    next_seq INTEGER NOT NULL, -- and at which number, as far as is known here
    PRIMARY KEY (organisation, incarnation)
) STRICT, WITHOUT ROWID;

-- One organisation's numbers, what waits for it, and who may pull. Never removed, so that no number is given twice.
CREATE TABLE lanes (
    organisation INTEGER PRIMARY KEY,
    next_seq INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL, -- position
    acknowledged_at INTEGER NOT NULL,
    events INTEGER NOT NULL, -- how many wait, and their bytes
    bytes INTEGER NOT NULL,
    agent TEXT NOT NULL, -- holds the lease; empty: nobody
    epoch INTEGER NOT NULL, -- of the lease, else of the last one
    incarnation TEXT NOT NULL,
    gap_first INTEGER NOT NULL,
    gap_last INTEGER NOT NULL -- 0: no gap
) STRICT;

-- Where each ended lease left the acknowledged position; one that moved nothing has no row, and the one before speaks for it.
CREATE TABLE epochs (
    organisation INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    agent TEXT NOT NULL,
    position INTEGER NOT NULL,
    known INTEGER NOT NULL, -- 0: how it ended was lost with a restore
    PRIMARY KEY (organisation, epoch)
) STRICT, WITHOUT ROWID;

-- Sealed events without their bytes. seq is the order in which they were queued.
CREATE TABLE messages (
    organisation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    queued_at INTEGER NOT NULL, -- later than its receipt when it was queued again
    key_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    body INTEGER NOT NULL, -- number of its bytes in bodies
    PRIMARY KEY (organisation, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX messages_id ON messages (organisation, id);

-- Sealed bytes in parts of up to 1 MiB, in order of receipt over all organisations; place = body << 16 | part.
CREATE TABLE bodies (place INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

-- Data keys, each wrapped for its organisation's agents.
CREATE TABLE keys (
    organisation INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    at INTEGER NOT NULL,
    uses INTEGER NOT NULL, -- how many stored messages it opens
    PRIMARY KEY (organisation, key_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_unused ON keys (organisation, at) WHERE uses = 0;

-- How far an organisation was acknowledged by the end of an hour, so that its messages need no time of their own.
CREATE TABLE marks (
    organisation INTEGER NOT NULL,
    hour INTEGER NOT NULL, -- since 1970
    position INTEGER NOT NULL,
    PRIMARY KEY (organisation, hour)
) STRICT, WITHOUT ROWID;

-- What each agent last told of its own work.
CREATE TABLE reports (
    organisation INTEGER NOT NULL,
    agent TEXT NOT NULL,
    settled INTEGER NOT NULL, -- everything up to this seq
    unsettled INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL, -- the position when it told
    PRIMARY KEY (organisation, agent)
) STRICT, WITHOUT ROWID;
