"""The rows of captured secrets."""

import sqlite3
from collections.abc import Sequence

from store.captured import Captured
from store.configuration import Document
from store.sqlite.configuration_rows import read_document
from touchpoints.definition import Ids

UPSERT_CAPTURED = """
INSERT INTO captured (touchpoint, at, remote, fingerprint) VALUES (?, ?, ?, ?)
ON CONFLICT (touchpoint) DO UPDATE SET at = excluded.at, remote = excluded.remote, fingerprint = excluded.fingerprint
"""


def write_captured(db: sqlite3.Connection, captured: Captured) -> None:
    """Keep where a touchpoint's secret came from."""
    db.execute(UPSERT_CAPTURED, (captured.touchpoint, captured.at, captured.remote, captured.fingerprint))


SELECT_CAPTURED = "SELECT touchpoint, at, remote, fingerprint FROM captured ORDER BY at, touchpoint"


def select_captured(db: sqlite3.Connection) -> Sequence[Captured]:
    """Those whose secret is still the touchpoint's: one that was replaced or forgotten concerns nobody."""
    secrets = _secrets(*read_document(db))
    return [
        Captured(touchpoint=touchpoint, at=at, remote=remote, fingerprint=fingerprint)
        for touchpoint, at, remote, fingerprint in db.execute(SELECT_CAPTURED)
        if f"stored:{fingerprint}" in secrets.get(touchpoint, ())
    ]


def _secrets(document: Document, ids: Ids) -> dict[int, list[str]]:
    return {ids[(item["name"],)]: item.get("secrets", []) for item in document.get("touchpoint", [])}


DELETE_CAPTURED = "DELETE FROM captured WHERE touchpoint = ?"


def delete_captured(db: sqlite3.Connection, touchpoint: int) -> bool:
    """A person saw it; whether there was one."""
    return db.execute(DELETE_CAPTURED, (touchpoint,)).rowcount == 1
