"""Rows of the proxy's organisations, agents and pairing codes."""

import json
import sqlite3

from store.organisations import Organisation, PairedAgent
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem

ORGANISATION = "id, name, quota_events, quota_bytes, sealing_key, recovery_box, declaration, created_at"
SELECT_ORGANISATIONS = f"SELECT {ORGANISATION} FROM organisations WHERE removed_at IS NULL ORDER BY name"  # noqa: S608 - joins constants; values are bound
SELECT_BY_NAME = f"SELECT {ORGANISATION} FROM organisations WHERE removed_at IS NULL AND name = ?"  # noqa: S608 - joins constants; values are bound
SELECT_BY_ID = f"SELECT {ORGANISATION} FROM organisations WHERE removed_at IS NULL AND id = ?"  # noqa: S608 - joins constants; values are bound


def select_organisations(db: sqlite3.Connection) -> list[Organisation]:
    """All that were not removed, by name."""
    return [organisation_of(row) for row in db.execute(SELECT_ORGANISATIONS)]


def organisation_named(db: sqlite3.Connection, name: str) -> Organisation:
    """Raises ProblemError(organisation_unknown)."""
    row = db.execute(SELECT_BY_NAME, (name,)).fetchone()
    if row is None:
        raise ProblemError(problem("organisation_unknown", name=ascii(name[:64])[1:-1]))
    return organisation_of(row)


def organisation_by_id(db: sqlite3.Connection, number: int) -> Organisation:
    """Raises ProblemError(organisation_unknown)."""
    row = db.execute(SELECT_BY_ID, (number,)).fetchone()
    if row is None:
        raise ProblemError(problem("organisation_unknown", name=str(number)))
    return organisation_of(row)


def organisation_of(row: tuple[int, str, int | None, int | None, bytes | None, bytes, str, Micros]) -> Organisation:
    """An organisation of its row."""
    number, name, events, size, sealing_key, recovery_box, declaration, created_at = row
    return Organisation(
        id=number,
        name=name,
        quota_events=events,
        quota_bytes=size,
        sealing_key=sealing_key,
        recovery_box=recovery_box,
        declaration=declaration,
        created_at=created_at,
    )


AGENT = (
    "id, organisation, name, signing_key, next_signing_key, exchange_key, fingerprint, state, wrapped_key, version, "
    "paired_at, last_seen_at, lacking"
)
SELECT_AGENT = f"SELECT {AGENT} FROM agents WHERE id = ?"  # noqa: S608 - joins constants; values are bound
SELECT_AGENTS = f"SELECT {AGENT} FROM agents WHERE organisation = ? ORDER BY state = 'revoked', paired_at, id"  # noqa: S608 - joins constants; values are bound
SELECT_EVERYONE = f"SELECT {AGENT} FROM agents"  # noqa: S608 - joins constants; values are bound
# By name or id; of several the one that may still speak, and the youngest.
FIND_AGENT = f"""
SELECT {AGENT} FROM agents WHERE organisation = ?1 AND (id = ?2 OR name = ?2)
ORDER BY id = ?2 DESC, state = 'revoked', paired_at DESC LIMIT 1
"""  # noqa: S608 - joins constants; values are bound


def select_agent(db: sqlite3.Connection, agent_id: str) -> PairedAgent | None:
    """An agent by its id."""
    row = db.execute(SELECT_AGENT, (agent_id,)).fetchone()
    return agent_of(row) if row else None


def select_agents(db: sqlite3.Connection, organisation: int) -> list[PairedAgent]:
    """An organisation's agents, the revoked ones last."""
    return [agent_of(row) for row in db.execute(SELECT_AGENTS, (organisation,))]


def select_everyone(db: sqlite3.Connection) -> list[PairedAgent]:
    """Every agent there is."""
    return [agent_of(row) for row in db.execute(SELECT_EVERYONE)]


def find_agent(db: sqlite3.Connection, organisation: int, name: str) -> PairedAgent:
    """An organisation's agent by name or id. Raises ProblemError(agent_unknown)."""
    row = db.execute(FIND_AGENT, (organisation, name)).fetchone()
    if row is None:
        raise ProblemError(problem("agent_unknown", name=ascii(name[:64])[1:-1]))
    return agent_of(row)


def agent_of(row: tuple[str, int, str, bytes, bytes, bytes, str, str, bytes, str, Micros, Micros, str]) -> PairedAgent:
    """An agent of its row."""
    return PairedAgent(
        id=row[0],
        organisation=row[1],
        name=row[2],
        signing_key=row[3],
        next_signing_key=row[4],
        exchange_key=row[5],
        fingerprint=row[6],
        state=row[7],
        wrapped_key=row[8],
        version=row[9],
        paired_at=row[10],
        last_seen_at=row[11],
        lacking=tuple(json.loads(row[12])),
    )


SELECT_RESTING = "SELECT 1 FROM organisations WHERE name = ? AND removed_at > ? LIMIT 1"
INSERT_ORGANISATION = "INSERT INTO organisations (name, quota_events, quota_bytes, created_at) VALUES (?, ?, ?, ?)"
UPDATE_QUOTA = "UPDATE organisations SET quota_events = ?, quota_bytes = ? WHERE id = ?"


def name_rests(db: sqlite3.Connection, name: str, since: Micros) -> bool:
    """Whether an organisation of that name was removed after a moment."""
    return db.execute(SELECT_RESTING, (name, since)).fetchone() is not None


REMOVE_ORGANISATION = "UPDATE organisations SET removed_at = ?, sealing_key = NULL, recovery_box = x'' WHERE id = ?"
DELETE_OF = tuple(
    f"DELETE FROM {table} WHERE organisation = ?"  # noqa: S608 - the schema's own words
    for table in ("agents", "codes", "touchpoints", "endpoints")
)


def remove_organisation(db: sqlite3.Connection, number: int, now: Micros) -> None:
    """Remove all that is kept of an organisation but its name."""
    for sql in DELETE_OF:
        db.execute(sql, (number,))
    db.execute(REMOVE_ORGANISATION, (now, number))
