"""Declarations in SQLite: what an organisation's lease holder said of its touchpoints, and the endpoints that follow."""

import json
import sqlite3
from collections.abc import Iterator

from store.organisations import ProxyEndpoint
from store.people import AuditLine
from store.sqlite.organisations_rows import organisation_by_id
from store.sqlite.people import write_audit
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint

WITHDRAW_TOUCHPOINTS = "UPDATE touchpoints SET declared = 0 WHERE organisation = ?"
WITHDRAW_TOKENS = "UPDATE endpoints SET declared = 0 WHERE organisation = ?"
UPSERT_TOUCHPOINT = """
INSERT INTO touchpoints (organisation, name, place, declared, aliases, state, methods, ack, handshake)
VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)
ON CONFLICT (organisation, name) DO UPDATE SET place = excluded.place, declared = 1, aliases = excluded.aliases,
    state = excluded.state, methods = excluded.methods, ack = excluded.ack, handshake = excluded.handshake
"""
UPSERT_ENDPOINT = """
INSERT INTO endpoints (organisation, touchpoint, place, token_digest, sealed, declared, retiring) VALUES (?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (token_digest) DO UPDATE SET touchpoint = excluded.touchpoint, place = excluded.place, sealed = excluded.sealed,
    declared = 1, retiring = excluded.retiring
WHERE organisation = excluded.organisation
"""
# Since when a token is on its way out does not change while it is.
RETIRE = """
UPDATE endpoints SET retires_at = CASE WHEN declared = 1 AND retiring = 0 THEN NULL ELSE coalesce(retires_at, ?) END
WHERE organisation = ?
"""
DELETE_RETIRED = "DELETE FROM endpoints WHERE organisation = ? AND declared = 0 AND retires_at <= ?"
DELETE_GONE = """
DELETE FROM touchpoints WHERE organisation = ?1 AND declared = 0
    AND NOT EXISTS (SELECT 1 FROM endpoints e WHERE e.organisation = ?1 AND e.touchpoint = touchpoints.name)
"""
SET_DIGEST = "UPDATE organisations SET declaration = ? WHERE id = ?"


def declare(
    db: sqlite3.Connection, number: int, declaration: Declaration, *, digest: str, overlap: Micros, now: Micros
) -> None:
    """Raises ProblemError: token_taken, organisation_unknown."""
    organisation = organisation_by_id(db, number)
    db.execute(WITHDRAW_TOUCHPOINTS, (number,))
    db.execute(WITHDRAW_TOKENS, (number,))
    for place, touchpoint in enumerate(declaration.touchpoints):
        db.execute(UPSERT_TOUCHPOINT, _row(number, place, touchpoint))
        for order, token in enumerate(touchpoint.tokens):
            row = (number, touchpoint.name, order, token.digest, token.sealed, int(token.retiring))
            if db.execute(UPSERT_ENDPOINT, row).rowcount != 1:
                raise ProblemError(problem("token_taken"))
    db.execute(RETIRE, (now + overlap, number))
    db.execute(DELETE_RETIRED, (number, now))
    db.execute(DELETE_GONE, (number,))
    db.execute(SET_DIGEST, (digest, number))
    if digest != organisation.declaration:
        detail = f"{organisation.name}: {len(declaration.touchpoints)} touchpoints"
        write_audit(db, AuditLine(at=now, actor=f"organisation:{organisation.name}", action="declaration", detail=detail))


def _row(number: int, place: int, touchpoint: DeclaredTouchpoint) -> tuple[int | str, ...]:
    return (
        number,
        touchpoint.name,
        place,
        json.dumps(touchpoint.aliases),
        touchpoint.state,
        json.dumps(touchpoint.methods),
        touchpoint.ack,
        touchpoint.handshake,
    )


SELECT_TOUCHPOINTS = """
SELECT name, aliases, state, methods, ack, handshake FROM touchpoints WHERE organisation = ? AND declared = 1 ORDER BY place
"""
SELECT_TOKENS = """
SELECT touchpoint, token_digest, sealed, retiring FROM endpoints WHERE organisation = ? AND declared = 1
ORDER BY touchpoint, place
"""


def select_declaration(db: sqlite3.Connection, number: int) -> tuple[str, Declaration]:
    """The digest and the declaration that counts."""
    tokens: dict[str, list[DeclaredToken]] = {}
    for name, digest, sealed, retiring in db.execute(SELECT_TOKENS, (number,)):
        tokens.setdefault(name, []).append(DeclaredToken(digest=digest, sealed=sealed, retiring=bool(retiring)))
    touchpoints = tuple(
        DeclaredTouchpoint(
            name=name,
            aliases=tuple(json.loads(aliases)),
            state=state,
            methods=tuple(json.loads(methods)),
            ack=ack,
            handshake=handshake,
            tokens=tuple(tokens.get(name, ())),
        )
        for name, aliases, state, methods, ack, handshake in db.execute(SELECT_TOUCHPOINTS, (number,))
    )
    return organisation_by_id(db, number).declaration, Declaration(touchpoints=touchpoints)


SELECT_ENDPOINTS = """
SELECT e.id, e.organisation, o.name, t.name, t.aliases, e.token_digest, t.methods, t.ack, t.handshake, e.retires_at
FROM endpoints e JOIN touchpoints t ON t.organisation = e.organisation AND t.name = e.touchpoint
JOIN organisations o ON o.id = e.organisation WHERE o.removed_at IS NULL AND t.state != 'disabled' ORDER BY e.id
"""


def select_endpoints(db: sqlite3.Connection) -> Iterator[ProxyEndpoint]:
    """Every endpoint that is answered, or was until it retired."""
    for number, organisation, domain, name, aliases, digest, methods, ack, handshake, retires_at in db.execute(
        SELECT_ENDPOINTS
    ):
        yield ProxyEndpoint(
            id=number,
            organisation=organisation,
            domain=domain,
            names=frozenset((name, *json.loads(aliases))),
            touchpoint=name,
            token_digest=digest,
            methods=tuple(json.loads(methods)),
            ack=ack,
            handshake=handshake,
            retires_at=retires_at,
        )
