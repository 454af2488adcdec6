"""Pairing in SQLite: codes, the agents they bring, and the agents' keys."""

import json
import sqlite3
from collections.abc import Mapping

from store.organisations import CODE_LIVES, CODE_TRIES, Newcomer, PairedAgent, PairingCode
from store.people import AuditLine
from store.sqlite.organisations_rows import find_agent, organisation_by_id, organisation_named, select_agent
from store.sqlite.people import write_audit
from store.vault import Vault
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem

DELETE_DEAD = "DELETE FROM codes WHERE expires_at <= ?"
INSERT_CODE = """
INSERT INTO codes (find, organisation, sealed, replaces, expires_at, tries_left) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (find) DO NOTHING
"""


def open_code(
    db: sqlite3.Connection, vault: Vault, name: str, *, find: str, secret: str, replaces: str, actor: str, now: Micros
) -> PairingCode:
    """Raises ProblemError: organisation_unknown, agent_unknown, pairing_code_clash."""
    organisation = organisation_named(db, name)
    replaced = find_agent(db, organisation.id, replaces) if replaces else None
    code = PairingCode(
        find=find,
        secret=secret,
        organisation=organisation.id,
        replaces=replaced.id if replaced else "",
        expires_at=now + CODE_LIVES,
        tries_left=CODE_TRIES,
    )
    db.execute(DELETE_DEAD, (now,))
    sealed = vault.seal(secret, context=_context(find, organisation.id))
    row = (find, organisation.id, sealed, code.replaces, code.expires_at, code.tries_left)
    if db.execute(INSERT_CODE, row).rowcount != 1:
        raise ProblemError(problem("pairing_code_clash"))
    detail = f"{name}, in place of {replaced.name}" if replaced else name
    write_audit(db, AuditLine(at=now, actor=actor, action="organisation.code", detail=detail))
    return code


def _context(find: str, organisation: int) -> str:
    return f"pairing code\0{find}\0{organisation}"


SELECT_CODE = "SELECT organisation, sealed, replaces, expires_at, tries_left, agent FROM codes WHERE find = ?"


def select_code(db: sqlite3.Connection, vault: Vault, find: str, now: Micros) -> PairingCode | None:
    """A code that lives, spent or not."""
    row = db.execute(SELECT_CODE, (find,)).fetchone()
    # A clock that was set back must not let a code live longer.
    if row is None or not now < row[3] <= now + CODE_LIVES or row[4] <= 0:
        return None
    return PairingCode(
        find=find,
        secret=vault.open(row[1], context=_context(find, row[0])),
        organisation=row[0],
        replaces=row[2],
        expires_at=row[3],
        tries_left=row[4],
        spent_by=row[5],
    )


UPDATE_TRIES = (
    "UPDATE codes SET tries_left = tries_left - 1 WHERE find = ? AND tries_left > 0 RETURNING organisation, tries_left"
)


def count_try(db: sqlite3.Connection, find: str, now: Micros) -> None:
    """One try less."""
    if row := db.execute(UPDATE_TRIES, (find,)).fetchone():
        name = organisation_by_id(db, row[0]).name
        detail = f"{name}: a wrong pairing code, {row[1]} tries left"
        write_audit(db, AuditLine(at=now, actor="stranger", action="agent.pair_failed", detail=detail))


INSERT_AGENT = """
INSERT INTO agents (id, organisation, name, signing_key, exchange_key, fingerprint, state, version, paired_at, last_seen_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
SPEND_CODE = "UPDATE codes SET agent = ? WHERE find = ?"
SET_SEALING_KEY = "UPDATE organisations SET sealing_key = ?, recovery_box = ? WHERE id = ?"
SELECT_NAMES = "SELECT name FROM agents WHERE organisation = ? AND state != 'revoked'"


def pair(db: sqlite3.Connection, vault: Vault, find: str, agent_id: str, newcomer: Newcomer, now: Micros) -> PairedAgent:
    """Raises ProblemError: pairing_code_spent, pairing_key_missing."""
    code = select_code(db, vault, find, now)
    if code is None:
        raise ProblemError(problem("pairing_code_spent"))
    if code.spent_by:
        known = select_agent(db, code.spent_by)
        if known is None or known.signing_key != newcomer.signing_key or known.state == "revoked":
            raise ProblemError(problem("pairing_code_spent"))
        return known
    organisation = organisation_by_id(db, code.organisation)
    first = organisation.sealing_key is None
    if first:
        if not newcomer.sealing_key:
            raise ProblemError(problem("pairing_key_missing"))
        db.execute(SET_SEALING_KEY, (newcomer.sealing_key, newcomer.recovery_box, organisation.id))
    if code.replaces and (replaced := select_agent(db, code.replaces)) and replaced.state != "revoked":
        revoke(db, replaced, actor=f"agent:{newcomer.name}", now=now)
    name = _free_name(db, organisation.id, newcomer.name)
    row = (agent_id, organisation.id, name, newcomer.signing_key, newcomer.exchange_key, newcomer.fingerprint)
    db.execute(INSERT_AGENT, (*row, "ready" if first else "waiting", newcomer.version, now, now))
    db.execute(SPEND_CODE, (agent_id, find))
    detail = f"{organisation.name}: {name}, {newcomer.fingerprint}"
    write_audit(db, AuditLine(at=now, actor=f"agent:{name}", action="agent.pair", detail=detail))
    found = select_agent(db, agent_id)
    if found is None:
        raise LookupError(agent_id)
    return found


def _free_name(db: sqlite3.Connection, organisation: int, wanted: str) -> str:
    """The name, numbered where another agent has it: people name agents by it."""
    taken = {name for (name,) in db.execute(SELECT_NAMES, (organisation,))}
    free = (name for name in (wanted, *(f"{wanted} {number}" for number in range(2, len(taken) + 3))) if name not in taken)
    return next(free)


REVOKE = "UPDATE agents SET state = 'revoked', wrapped_key = x'', next_signing_key = x'' WHERE id = ?"


def revoke(db: sqlite3.Connection, agent: PairedAgent, *, actor: str, now: Micros) -> None:
    """Its key is worth nothing from now on."""
    db.execute(REVOKE, (agent.id,))
    detail = f"{organisation_by_id(db, agent.organisation).name}: {agent.name}, {agent.fingerprint}"
    write_audit(db, AuditLine(at=now, actor=actor, action="agent.revoke", detail=detail))


SELECT_APPROVER = "SELECT 1 FROM agents WHERE organisation = ?1 AND state = 'ready' AND (id = ?2 OR name = ?2)"
SET_WRAPPED = "UPDATE agents SET wrapped_key = ? WHERE id = ? AND organisation = ? AND state = 'waiting'"


def hand_over(db: sqlite3.Connection, organisation: int, agent_id: str, wrapped_key: bytes, *, by: str, now: Micros) -> None:
    """Raises ProblemError: agent_not_ready (who hands over has no key), agent_unknown (nobody of that id waits)."""
    if not db.execute(SELECT_APPROVER, (organisation, by)).fetchone():
        raise ProblemError(problem("agent_not_ready"))
    if db.execute(SET_WRAPPED, (wrapped_key, agent_id, organisation)).rowcount != 1:
        raise ProblemError(problem("agent_unknown", name=ascii(agent_id[:64])[1:-1]))
    _audit_agent(db, agent_id, "agent.approve", f"agent:{by}", now)


SET_READY = "UPDATE agents SET state = 'ready' WHERE id = ? AND state = 'waiting'"


def set_ready(db: sqlite3.Connection, agent_id: str, now: Micros) -> None:
    """It has the organisation's key."""
    if db.execute(SET_READY, (agent_id,)).rowcount:
        _audit_agent(db, agent_id, "agent.ready", "", now)


SET_NEXT_KEY = "UPDATE agents SET next_signing_key = ? WHERE id = ? AND state != 'revoked'"


def set_next_key(db: sqlite3.Connection, agent_id: str, new: bytes, now: Micros) -> None:
    """A key that will replace the one it has. Raises ProblemError(agent_unknown)."""
    if not db.execute(SET_NEXT_KEY, (new, agent_id)).rowcount:
        raise ProblemError(problem("agent_unknown", name=ascii(agent_id[:64])[1:-1]))
    _audit_agent(db, agent_id, "agent.renew_key", "", now)


USE_NEXT_KEY = "UPDATE agents SET signing_key = next_signing_key, next_signing_key = x'' WHERE id = ? AND next_signing_key = ?"


def use_next_key(db: sqlite3.Connection, agent_id: str, key: bytes) -> None:
    """The old key goes. Without effect for a key that is no next one."""
    if key:
        db.execute(USE_NEXT_KEY, (agent_id, key))


def _audit_agent(db: sqlite3.Connection, agent_id: str, action: str, actor: str, now: Micros) -> None:
    if agent := select_agent(db, agent_id):
        detail = f"{organisation_by_id(db, agent.organisation).name}: {agent.name}, {agent.fingerprint}"
        write_audit(db, AuditLine(at=now, actor=actor or f"agent:{agent.name}", action=action, detail=detail))


UPDATE_SEEN = "UPDATE agents SET last_seen_at = ?, version = ?, lacking = ? WHERE id = ?"


def set_seen(db: sqlite3.Connection, agents: Mapping[str, tuple[Micros, str, tuple[str, ...]]]) -> None:
    """When agents were last seen."""
    rows = [(at, version, json.dumps(lacking), agent_id) for agent_id, (at, version, lacking) in agents.items()]
    db.executemany(UPDATE_SEEN, rows)
