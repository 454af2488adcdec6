"""The pairing in SQLite, in configuration.db beside the touchpoints; what is secret is sealed by the vault."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from store.pairing import MOST_RESERVED, EndpointToken, Pairing
from store.people import AuditLine
from store.sqlite.database import Database, transaction, unavailable
from store.sqlite.instance import check_key
from store.sqlite.people import write_audit
from store.vault import Vault
from touchpoints.moment import Micros
from touchpoints.name import is_valid_name

T = TypeVar("T")

_PRIVATE = ("signing_key", "exchange_key", "opening_key", "former_key")
_PUBLIC = ("proxy_key", "sealing_key")


class SqlitePairing:
    """A PairingStore over configuration.db."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def load(self) -> Pairing | None:
        """See PairingStore."""
        return await self._run(lambda db: read_pairing(db, self._vault))

    async def save(self, pairing: Pairing, *, actor: str, now: Micros) -> None:
        """See PairingStore."""

        def work(db: sqlite3.Connection) -> None:
            write_pairing(db, self._vault, pairing)
            detail = f"{pairing.domain} at {pairing.url}, as {pairing.agent_name}"
            write_audit(db, AuditLine(at=now, actor=actor, action="proxy.pair", detail=detail))

        await self._run(work)

    async def forget(self, *, actor: str, now: Micros) -> None:
        """See PairingStore."""

        def work(db: sqlite3.Connection) -> None:
            write_tokens(db, self._vault, ())
            if db.execute(DELETE_PAIRING).rowcount:
                write_audit(db, AuditLine(at=now, actor=actor, action="proxy.unpair", detail=""))

        await self._run(work)

    async def tokens(self) -> tuple[EndpointToken, ...]:
        """See PairingStore."""
        return await self._run(lambda db: read_tokens(db, self._vault))

    async def save_tokens(self, tokens: tuple[EndpointToken, ...]) -> None:
        """See PairingStore."""
        await self._run(lambda db: write_tokens(db, self._vault, tokens))

    async def touchpoint_id(self, name: str) -> int:
        """See PairingStore."""
        return await self._run(lambda db: id_of_touchpoint(db, name))

    async def reserved_names(self) -> Mapping[int, str]:
        """See PairingStore."""
        return await self._run(lambda db: dict(db.execute(SELECT_RESERVED_NAMES).fetchall()))

    async def removed_names(self) -> frozenset[str]:
        """See PairingStore."""
        return await self._run(lambda db: frozenset(name for (name,) in db.execute(SELECT_REMOVED)))

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def checked(db: sqlite3.Connection) -> T:
            check_key(db, self._vault)
            return work(db)

        try:
            return await self._database.run(transaction(checked))
        except sqlite3.Error as error:
            raise unavailable(error) from error


SELECT_PAIRING = "SELECT document, keys FROM pairing"


def read_pairing(db: sqlite3.Connection, vault: Vault) -> Pairing | None:
    """The pairing. Raises ProblemError(secret_unreadable)."""
    row = db.execute(SELECT_PAIRING).fetchone()
    if row is None:
        return None
    fields: dict[str, Any] = json.loads(row[0])
    keys: dict[str, str] = json.loads(vault.open(row[1], context=_context(fields)))
    fields |= {name: bytes.fromhex(fields[name]) for name in _PUBLIC}
    fields |= {name: bytes.fromhex(keys.get(name, "")) for name in _PRIVATE}
    return Pairing(**fields)


UPSERT_PAIRING = (
    "INSERT INTO pairing (only, document, keys) VALUES (1, ?, ?) "
    "ON CONFLICT (only) DO UPDATE SET document = excluded.document, keys = excluded.keys"
)


def write_pairing(db: sqlite3.Connection, vault: Vault, pairing: Pairing) -> None:
    """Write it in place of any other."""
    names = [name for name in Pairing.__slots__ if name not in _PRIVATE and name not in _PUBLIC]
    fields = {name: getattr(pairing, name) for name in names}
    fields |= {name: getattr(pairing, name).hex() for name in _PUBLIC}
    keys = json.dumps({name: getattr(pairing, name).hex() for name in _PRIVATE})
    db.execute(UPSERT_PAIRING, (json.dumps(fields), vault.seal(keys, context=_context(fields))))


def _context(fields: dict[str, Any]) -> str:
    """The keys belong to one agent at one proxy: they open beside no other proxy's address or key."""
    return "\0".join(("pairing", fields["id"], fields["url"], fields["agent_id"], fields["proxy_key"]))


DELETE_PAIRING = "DELETE FROM pairing"

SELECT_TOKENS = "SELECT touchpoint, sealed, retiring FROM endpoint_tokens ORDER BY number"


def read_tokens(db: sqlite3.Connection, vault: Vault) -> tuple[EndpointToken, ...]:
    """Every token, in the order it was saved. Raises ProblemError(secret_unreadable)."""
    return tuple(
        EndpointToken(
            touchpoint=touchpoint, token=vault.open(sealed, context=_token_context(touchpoint)), retiring=retiring == 1
        )
        for touchpoint, sealed, retiring in db.execute(SELECT_TOKENS)
    )


DELETE_TOKENS = "DELETE FROM endpoint_tokens"
INSERT_TOKEN = "INSERT INTO endpoint_tokens (number, touchpoint, sealed, retiring) VALUES (?, ?, ?, ?)"  # noqa: S105 - SQL, no password


def write_tokens(db: sqlite3.Connection, vault: Vault, tokens: Sequence[EndpointToken]) -> None:
    """Replace them all."""
    db.execute(DELETE_TOKENS)
    rows = [
        (number, one.touchpoint, vault.seal(one.token, context=_token_context(one.touchpoint)), int(one.retiring))
        for number, one in enumerate(tokens, 1)
    ]
    db.executemany(INSERT_TOKEN, rows)


def _token_context(touchpoint: int) -> str:
    return f"endpoint token\0{touchpoint}"


SELECT_LIVING = """
SELECT id FROM touchpoints WHERE removed_at IS NULL
    AND (name = ?1 OR EXISTS (SELECT 1 FROM json_each(document, '$.aliases') WHERE value = ?1)) ORDER BY id LIMIT 1
"""
SELECT_RESERVED = "SELECT id FROM touchpoints WHERE name = ? AND removed_at = 0"
COUNT_RESERVED = "SELECT count(*) FROM touchpoints WHERE removed_at = 0"
INSERT_RESERVED = "INSERT INTO touchpoints (name, document, removed_at) VALUES (?, '{}', 0)"


def id_of_touchpoint(db: sqlite3.Connection, name: str) -> int:
    """The id of a touchpoint, or one kept for it. The log then knows the name of what waits."""
    if row := db.execute(SELECT_LIVING, (name,)).fetchone() or db.execute(SELECT_RESERVED, (name,)).fetchone():
        return int(row[0])
    (kept,) = db.execute(COUNT_RESERVED).fetchone()
    if not is_valid_name(name) or kept >= MOST_RESERVED:
        return 0
    return int(db.execute(INSERT_RESERVED, (name,)).lastrowid or 0)


SELECT_RESERVED_NAMES = "SELECT id, name FROM touchpoints WHERE removed_at = 0"
SELECT_REMOVED = "SELECT name FROM touchpoints WHERE removed_at > 0"
