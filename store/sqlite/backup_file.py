"""Copies of one SQLite file: one read transaction each, so that a copy is of one moment while its owner goes on writing."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from store.backup import never
from store.sqlite.database import Opener, explained, pragma_number, reads_whole
from store.sqlite.instance import check_key
from store.sqlite.migrate import migrate, outdated, schema
from store.vault import Vault
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem

VACUUM_INTO = "VACUUM main INTO ?"
ATTACH = "ATTACH ? AS copy"
_PACE = 20_000  # of SQLite's instructions between two looks at whether to stop


def copy_whole(source: Path, target: Path, *, halted: Callable[[], bool] = never) -> None:
    """A whole copy of a file."""
    with reading(source) as db, halting(db, halted):
        db.execute(VACUUM_INTO, (str(target),))


def size_of(source: Path) -> int:
    """How many bytes a whole copy of a file takes, at most."""
    with reading(source) as db:
        return pages(db, "main")


def pages(db: sqlite3.Connection, name: str) -> int:
    """The bytes of all pages of `main`, or of `copy`: an empty one has a few for each table and index."""
    return pragma_number(db, f"{name}.page_count") * pragma_number(db, f"{name}.page_size")


@contextmanager
def copying(
    source: Path, target: Path, *, application: int, halted: Callable[[], bool] = never
) -> Iterator[sqlite3.Connection]:
    """A transaction on a file that sees it as it is at one moment, with an empty file of the same form as `copy` in it."""
    with reading(source) as db:
        form, version = schema(db), pragma_number(db, "user_version")
    with explaining(target), closing(opener(target, application)()) as made:
        made.executescript(f"BEGIN;\n{form}\nPRAGMA user_version = {version};\nCOMMIT")
        made.execute("PRAGMA journal_mode = DELETE")
    with reading(source) as db, halting(db, halted):
        db.execute(ATTACH, (str(target),))
        db.execute("PRAGMA copy.synchronous = OFF")
        db.execute("BEGIN")
        yield db
        db.execute("COMMIT")


@contextmanager
def sound(
    path: Path, kind: str, application: int, now: Micros, *, halted: Callable[[], bool] = never
) -> Iterator[sqlite3.Connection]:
    """A file that reads from end to end, in whichever form. Raises ProblemError(store_corrupt, store_newer …)."""
    with explaining(path), closing(opener(path, application)()) as db, halting(db, halted):
        if not reads_whole(db):
            raise ProblemError(problem("store_corrupt", path=str(path)))
        if outdated(db, kind) is None:  # an older one is brought up to date where it is put back
            migrate(db, kind, path=path, now=now)
        yield db


def check_key_of(configuration: Path, vault: Vault) -> None:
    """Raise ProblemError(key_wrong) where a copy of a configuration was begun with another key than the vault's."""
    with reading(configuration) as db:
        check_key(db, vault)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of our own beside the owner's; it never checkpoints, as the owner's readers never do.

    Where there is no file none is made: a damaged one was moved aside, and whether to begin anew is for a person to say.
    """
    with explaining(path), closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None)) as db:
        for pragma in ("busy_timeout = 10000", "wal_autocheckpoint = 0"):
            db.execute(f"PRAGMA {pragma}")
        yield db


@contextmanager
def halting(db: sqlite3.Connection, halted: Callable[[], bool]) -> Iterator[None]:
    """Whatever runs on a connection meanwhile is interrupted once `halted` says so."""
    db.set_progress_handler(halted, _PACE)
    try:
        yield
    finally:
        db.set_progress_handler(None, 0)


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """What SQLite says of a file, in words."""
    try:
        yield
    except sqlite3.Error as error:
        raise explained(error, path) from error


def opener(path: Path, application: int) -> Opener:
    """How a copy is opened."""
    return Opener(path=path, application_id=application, writer=True)


def count(db: sqlite3.Connection, rest: str) -> int:
    """How many rows there are of what `rest`, a constant, says after FROM."""
    (n,) = db.execute(f"SELECT count(*) FROM {rest}").fetchone()  # noqa: S608 - joins constants
    return int(n)
