"""A database file as text, every row of it, and back. Ports stand as names, so that a test can give its own."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from store.sqlite.database import pragma_number
from store.sqlite.migrate import schema

TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"


def dump(path: Path, ports: Mapping[str, int]) -> str:
    """The file as SQL; each port as :@name@. Raises AssertionError where a table is empty: it would prove nothing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        text = "\n".join(_lines(db, path)) + "\n"
    for name, port in ports.items():
        for before, after in ((":", ""), ("'", "'")):
            text = text.replace(f"{before}{port}{after}", f"{before}@{name}@{after}")
    return text


def load(text: str, path: Path, ports: Mapping[str, int]) -> None:
    """Make the file of a dump, as its program left it after a clean stop."""
    for name, port in ports.items():
        text = text.replace(f"@{name}@", str(port))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(text)


def version_of(text: str) -> int:
    """The schema's number in a dump."""
    (line,) = (line for line in text.splitlines() if line.startswith("PRAGMA user_version"))
    return int(line.split("=")[1].strip(" ;"))


def _lines(db: sqlite3.Connection, path: Path) -> Iterator[str]:
    for name in ("page_size", "auto_vacuum"):
        yield f"PRAGMA {name} = {pragma_number(db, name)};"
    yield "PRAGMA journal_mode = WAL;"
    yield f"PRAGMA application_id = {pragma_number(db, 'application_id')};"
    yield "PRAGMA synchronous = OFF;"
    yield "BEGIN;"
    yield from (part for part in schema(db).split("\n\n") if "sqlite_sequence" not in part)  # which SQLite makes by itself
    tables = [name for (name,) in db.execute(TABLES)]
    for table in tables:
        rows = list(_rows(db, table))
        assert rows, f"{path.name}: nothing in {table}"
        yield from rows
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        yield "DELETE FROM sqlite_sequence;"
        yield from _rows(db, "sqlite_sequence")
    yield f"PRAGMA user_version = {pragma_number(db, 'user_version')};"
    yield "COMMIT;"


def _rows(db: sqlite3.Connection, table: str) -> Iterator[str]:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(f'quote("{column}")' for column in columns)
    for row in db.execute(f"SELECT {values} FROM {table} ORDER BY 1"):  # noqa: S608 - names from the schema
        yield f"INSERT INTO {table} VALUES ({', '.join(row)});"  # noqa: S608 - quoted by SQLite
