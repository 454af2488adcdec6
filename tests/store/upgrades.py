"""Migrations that are not in the product: newer ones, given to a test's program alone."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files

from store.sqlite import migrate as module

Migration = tuple[int, str, str]

REWRITTEN = {  # tables that two further versions make anew, by kind; nothing refers to them by a foreign key
    "events": (("events", "bodies"), ("deliveries", "attempts", "claims")),
    "configuration": (("audit", "told"), ("secrets",)),
    "queue": (("messages", "lanes"), ("bodies", "keys")),
    "proxy": (("audit",), ("endpoints",)),
}
REAL = module.migrations
MARK = "upgraded_{number}"  # a table that only that version has


def further(kind: str) -> list[Migration]:
    """A 0002 and a 0003 of a kind: each makes tables anew, as a changed column would need, and leaves its mark."""
    current = files("store.sqlite").joinpath("schema", f"current-{kind}.sql").read_text(encoding="utf-8")
    parts = [part.strip() for part in current.split("\n\n")]
    latest = len(REAL(kind))
    return [
        (latest + more, f"{latest + more:04d}_rewritten.sql", _rewriting(parts, tables, latest + more))
        for more, tables in enumerate(REWRITTEN[kind], start=1)
    ]


def _rewriting(parts: list[str], tables: tuple[str, ...], number: int) -> str:
    lines = []
    for table in tables:
        (made,) = (part for part in parts if part.startswith(f"CREATE TABLE {table} ("))
        lines.append(made.replace(f"CREATE TABLE {table} (", f"CREATE TABLE {table}_new (", 1))
        lines.append(f"INSERT INTO {table}_new SELECT * FROM {table};")  # noqa: S608 - names from above
        lines.append(f"DROP TABLE {table};")
        lines.append(f"ALTER TABLE {table}_new RENAME TO {table};")
        lines += [part for part in parts if part.startswith("CREATE") and f" ON {table} (" in part]
    mark = MARK.format(number=number)
    lines += [f"CREATE TABLE {mark} (n INTEGER PRIMARY KEY) STRICT;", f"INSERT INTO {mark} VALUES ({number});"]  # noqa: S608 - the same
    return "\n".join(lines)


@contextmanager
def newer(*kinds: str, more: Callable[[str], list[Migration]] = further) -> Iterator[None]:
    """The program is a newer one, whose files of these kinds have further versions."""
    before = module.migrations
    extra = {kind: more(kind) for kind in kinds}
    module.migrations = lambda kind: REAL(kind) + extra.get(kind, [])
    try:
        yield
    finally:
        module.migrations = before


def of(sql: str) -> Callable[[str], list[Migration]]:
    """One further version of a kind, by its SQL."""
    return lambda kind: [(len(REAL(kind)) + 1, "0002_made_up.sql", sql)]


class Gate:
    """Holds each migration up until it is opened, in the midst of its transaction."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def open(self) -> None:
        """Let them go on."""
        self._open.set()

    def wait(self) -> None:
        """Where a migration stands."""
        self.reached.set()
        assert self._open.wait(30), "nobody opened the gate"


@contextmanager
def gated() -> Iterator[Gate]:
    """Migrations take as long as the test likes."""
    gate, apply = Gate(), module._apply

    def slow(db: sqlite3.Connection, number: int, name: str, sql: str, now: int) -> None:
        if number > 1:
            db.create_function("gate", 0, gate.wait)
            sql = f"{sql}\nSELECT gate();"
        apply(db, number, name, sql, now)

    module._apply = slow
    try:
        yield gate
    finally:
        gate.open()
        module._apply = apply


def rows_of(db: sqlite3.Connection) -> dict[str, Counter[int]]:
    """What rows each table has, as their hashes: alike in one process, and only there."""
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    return {name: Counter(hash(row) for row in db.execute(f"SELECT * FROM {name}")) for name in names}  # noqa: S608 - of the schema
