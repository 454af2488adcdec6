"""The configuration's rows: settings, touchpoints and destinations as a document and back."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from store.configuration import Document
from touchpoints.definition import Ids
from touchpoints.moment import Micros

SELECT_SETTINGS = "SELECT section, key, value FROM settings"


def read_settings(db: sqlite3.Connection) -> Document:
    """The stored document's settings."""
    document: Document = {}
    for section, key, value in db.execute(SELECT_SETTINGS):
        document.setdefault(section, {})[key] = json.loads(value)
    return document


SELECT_TOUCHPOINTS = "SELECT id, name, document FROM touchpoints WHERE removed_at IS NULL ORDER BY id"
SELECT_DESTINATIONS = "SELECT id, touchpoint, name, document FROM destinations WHERE removed_at IS NULL ORDER BY id"


def read_document(db: sqlite3.Connection) -> tuple[Document, dict[tuple[str, ...], int]]:
    """The stored document, and the ids of its touchpoints and destinations by name."""
    document = read_settings(db)
    ids: dict[tuple[str, ...], int] = {}
    touchpoints: dict[int, dict[str, Any]] = {}
    for number, name, stored in db.execute(SELECT_TOUCHPOINTS):
        touchpoints[number] = {"name": name, **json.loads(stored), "destination": []}
        ids[(name,)] = number
    for number, touchpoint, name, stored in db.execute(SELECT_DESTINATIONS):
        owner = touchpoints[touchpoint]
        owner["destination"].append({"name": name, **json.loads(stored)})
        ids[(owner["name"], name)] = number
    if touchpoints:
        document["touchpoint"] = list(touchpoints.values())
    return document, ids


SELECT_TOUCHPOINT_NAMES = "SELECT id, name FROM touchpoints"
SELECT_DESTINATION_NAMES = "SELECT id, name FROM destinations"


def read_names(db: sqlite3.Connection) -> tuple[dict[int, str], dict[int, str]]:
    """The names of all touchpoints and destinations there ever were, by id."""
    return dict(db.execute(SELECT_TOUCHPOINT_NAMES).fetchall()), dict(db.execute(SELECT_DESTINATION_NAMES).fetchall())


def successors(document: Document, ids: Ids) -> dict[tuple[str, ...], int]:
    """The stored ids that live on in a document, by the names they have there.

    A touchpoint lives on under its name, or under a new one when its old name became an alias.
    """
    found: dict[tuple[str, ...], int] = {}
    names = {item["name"] for item in document.get("touchpoint", [])}
    for item in document.get("touchpoint", []):
        older = [alias for alias in item.get("aliases", []) if (alias,) in ids and alias not in names]
        was = item["name"] if (item["name"],) in ids else next(iter(older), None)
        if was is None:
            continue
        found[(item["name"],)] = ids[(was,)]
        for destination in item["destination"]:
            if (was, destination["name"]) in ids:
                found[item["name"], destination["name"]] = ids[was, destination["name"]]
    return found


DELETE_SETTINGS = "DELETE FROM settings"
INSERT_SETTING = "INSERT INTO settings (section, key, value) VALUES (?, ?, ?)"


def write_settings(db: sqlite3.Connection, document: Document, *, but: str) -> None:
    """Make the rows hold a checked document's settings: all of it but the list `but`."""
    db.execute(DELETE_SETTINGS)
    for section, table in document.items():
        if section != but:
            db.executemany(INSERT_SETTING, [(section, key, json.dumps(value)) for key, value in table.items()])


REMOVE_TOUCHPOINT = "UPDATE touchpoints SET removed_at = ?, document = '{}' WHERE id = ?"
REMOVE_DESTINATION = "UPDATE destinations SET removed_at = ?, document = '{}' WHERE id = ?"


def write_document(db: sqlite3.Connection, document: Document, ids: Ids, now: Micros) -> None:
    """Make the rows hold a checked document; `ids` are the stored ones. What is gone keeps its row, for the log."""
    write_settings(db, document, but="touchpoint")
    living = successors(document, ids)
    kept = {(len(key), number) for key, number in living.items()}
    for key, number in ids.items():
        if (len(key), number) not in kept:
            db.execute(REMOVE_TOUCHPOINT if len(key) == 1 else REMOVE_DESTINATION, (now, number))
    step_aside(db, living, ids)
    for item in document.get("touchpoint", []):
        write_touchpoint(db, item, living)


STEP_ASIDE = "UPDATE touchpoints SET name = '#' || id WHERE id = ?"


def step_aside(db: sqlite3.Connection, living: Ids, ids: Ids) -> None:
    """Free the names of touchpoints that are renamed, since another may take one in the same apply."""
    before = {number: key for key, number in ids.items() if len(key) == 1}
    db.executemany(STEP_ASIDE, [(number,) for key, number in living.items() if len(key) == 1 and before[number] != key])


INSERT_TOUCHPOINT = "INSERT INTO touchpoints (name, document) VALUES (?, ?)"
UPDATE_TOUCHPOINT = "UPDATE touchpoints SET name = ?, document = ? WHERE id = ?"
TAKE_RESERVED = "UPDATE touchpoints SET document = ?, removed_at = NULL WHERE name = ? AND removed_at = 0 RETURNING id"


def write_touchpoint(db: sqlite3.Connection, item: Mapping[str, Any], living: Ids) -> None:
    """Write a touchpoint and its destinations."""
    name = item["name"]
    stored = json.dumps({key: value for key, value in item.items() if key not in {"name", "destination"}})
    number = living.get((name,))
    if number is None:
        kept = db.execute(TAKE_RESERVED, (stored, name)).fetchall()
        number = kept[0][0] if kept else db.execute(INSERT_TOUCHPOINT, (name, stored)).lastrowid
    else:
        db.execute(UPDATE_TOUCHPOINT, (name, stored, number))
    for destination in item["destination"]:
        write_destination(db, destination, number, living.get((name, destination["name"])))


INSERT_DESTINATION = "INSERT INTO destinations (touchpoint, name, document) VALUES (?, ?, ?)"
UPDATE_DESTINATION = "UPDATE destinations SET document = ? WHERE id = ?"


def write_destination(db: sqlite3.Connection, item: Mapping[str, Any], touchpoint: int | None, number: int | None) -> None:
    """Write one destination."""
    stored = json.dumps({key: value for key, value in item.items() if key != "name"})
    if number is None:
        db.execute(INSERT_DESTINATION, (touchpoint, item["name"], stored))
    else:
        db.execute(UPDATE_DESTINATION, (stored, number))
