"""How things stand: what is not settled, what came last, what was refused."""

import sqlite3
from collections import defaultdict

from store.log import Backlog
from store.sqlite import counters
from touchpoints.moment import DAY, Micros

SELECT_OLDEST = """
SELECT min(received_at) FROM events WHERE seq IN (
    (SELECT min(seq) FROM inbox),
    (SELECT min(event_seq) FROM deliveries WHERE state = 'pending' AND state != 'delivered'),
    (SELECT min(event_seq) FROM deliveries WHERE state = 'held' AND state != 'delivered'))
"""


COUNT_HELD = """
SELECT count(*) FROM deliveries INDEXED BY deliveries_open
WHERE state = 'held' AND state != 'delivered' AND event_seq <= ?
"""


def count_held(db: sqlite3.Connection, *, up_to: int) -> int:
    """How many deliveries are held, of events with this number or a lower one."""
    (n,) = db.execute(COUNT_HELD, (up_to,)).fetchone()
    return int(n)


def select_backlog(db: sqlite3.Connection) -> Backlog:
    """What is not settled, over all."""
    total: dict[str, int] = defaultdict(int)
    for (state, _), n in counters.counted(db).items():
        total[state] += n
    (oldest_at,) = db.execute(SELECT_OLDEST).fetchone()
    return Backlog(
        inbox=total["inbox"],
        outbox=total["pending"],
        held=total["held"],
        given_up=total["given_up"],
        refused=total["refused"],
        oldest_at=oldest_at,
    )


SELECT_LAST_EVENTS = "SELECT touchpoint, received_at FROM last_events"


def select_last_events(db: sqlite3.Connection) -> dict[int, Micros]:
    """The last received event of every touchpoint."""
    return dict(db.execute(SELECT_LAST_EVENTS).fetchall())


SELECT_REFUSALS = """
SELECT touchpoint, reason, sum(n) FROM refusals
WHERE touchpoint = coalesce(?, touchpoint) AND day >= ? GROUP BY touchpoint, reason
"""


def select_refusals(db: sqlite3.Connection, *, touchpoint: int | None, since: Micros) -> dict[tuple[int, str], int]:
    """How many requests were refused, by touchpoint and reason."""
    return {(who, reason): n for who, reason, n in db.execute(SELECT_REFUSALS, (touchpoint, since // DAY))}
