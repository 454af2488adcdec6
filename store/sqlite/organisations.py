"""The proxy's organisations in SQLite."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from store.organisations import NAME_RESTS, Newcomer, Organisation, PairedAgent, PairingCode, ProxyEndpoint
from store.people import AuditLine
from store.sqlite import organisations_pair as pairing
from store.sqlite import organisations_rows as rows
from store.sqlite.database import Database, explained, transaction
from store.sqlite.organisations_declare import declare, select_declaration, select_endpoints
from store.sqlite.people import write_audit
from store.vault import Vault
from touchpoints.moment import Micros
from touchpoints.name import confusable_form, name_problem
from touchpoints.problem import ProblemError, problem
from touchpoints.pull.declaration import Declaration

T = TypeVar("T")


class SqliteOrganisations:
    """Organisations over the proxy's configuration.db, which is at `path`."""

    def __init__(self, database: Database, vault: Vault, path: Path) -> None:
        self._database = database
        self._vault = vault
        self._path = path

    async def add(
        self, name: str, *, quota_events: int | None, quota_bytes: int | None, actor: str, now: Micros
    ) -> Organisation:
        """See Organisations."""
        return await self._write(
            partial(add, name=name, quota_events=quota_events, quota_bytes=quota_bytes, actor=actor, now=now)
        )

    async def all(self) -> Sequence[Organisation]:
        """See Organisations."""
        return await self._read(rows.select_organisations)

    async def named(self, name: str) -> Organisation:
        """See Organisations."""
        return await self._read(lambda db: rows.organisation_named(db, name))

    async def change(
        self, name: str, *, quota_events: int | None, quota_bytes: int | None, actor: str, now: Micros
    ) -> Organisation:
        """See Organisations."""
        return await self._write(
            partial(change, name=name, quota_events=quota_events, quota_bytes=quota_bytes, actor=actor, now=now)
        )

    async def remove(self, name: str, *, actor: str, now: Micros) -> Organisation:
        """See Organisations."""
        return await self._write(partial(remove, name=name, actor=actor, now=now))

    async def open_code(self, name: str, *, find: str, secret: str, replaces: str, actor: str, now: Micros) -> PairingCode:
        """See Organisations. Raises ProblemError(pairing_code_clash) where another open code begins alike."""
        return await self._write(
            lambda db: pairing.open_code(
                db, self._vault, name, find=find, secret=secret, replaces=replaces, actor=actor, now=now
            )
        )

    async def code(self, find: str, *, now: Micros) -> PairingCode | None:
        """See Organisations."""
        return await self._read(lambda db: pairing.select_code(db, self._vault, find, now))

    async def code_failed(self, find: str, *, now: Micros) -> None:
        """See Organisations."""
        await self._write(lambda db: pairing.count_try(db, find, now))

    async def pair(self, find: str, agent_id: str, newcomer: Newcomer, *, now: Micros) -> PairedAgent:
        """See Organisations."""
        return await self._write(lambda db: pairing.pair(db, self._vault, find, agent_id, newcomer, now))

    async def agent(self, agent_id: str) -> PairedAgent | None:
        """See Organisations."""
        return await self._read(lambda db: rows.select_agent(db, agent_id))

    async def agents(self, organisation: int) -> Sequence[PairedAgent]:
        """See Organisations."""
        return await self._read(lambda db: rows.select_agents(db, organisation))

    async def everyone(self) -> Sequence[PairedAgent]:
        """See Organisations."""
        return await self._read(rows.select_everyone)

    async def hand_over(self, organisation: int, agent_id: str, wrapped_key: bytes, *, by: str, now: Micros) -> None:
        """See Organisations. Raises ProblemError: agent_not_ready, agent_unknown."""
        await self._write(lambda db: pairing.hand_over(db, organisation, agent_id, wrapped_key, by=by, now=now))

    async def ready(self, agent_id: str, *, now: Micros) -> None:
        """See Organisations."""
        await self._write(lambda db: pairing.set_ready(db, agent_id, now))

    async def revoke(self, organisation: int, agent: str, *, actor: str, now: Micros) -> PairedAgent:
        """See Organisations."""

        def work(db: sqlite3.Connection) -> PairedAgent:
            found = rows.find_agent(db, organisation, agent)
            if found.state == "revoked":
                return found
            pairing.revoke(db, found, actor=actor, now=now)
            return rows.select_agent(db, found.id) or found

        return await self._write(work)

    async def renew_key(self, agent_id: str, *, new: bytes, now: Micros) -> None:
        """See Organisations."""
        await self._write(lambda db: pairing.set_next_key(db, agent_id, new, now))

    async def key_used(self, agent_id: str, key: bytes) -> None:
        """See Organisations."""
        await self._write(lambda db: pairing.use_next_key(db, agent_id, key))

    async def seen(self, agents: Mapping[str, tuple[Micros, str, tuple[str, ...]]]) -> None:
        """See Organisations."""
        await self._write(lambda db: pairing.set_seen(db, agents))

    async def declare(self, organisation: int, declaration: Declaration, *, digest: str, overlap: Micros, now: Micros) -> None:
        """See Organisations."""
        await self._write(lambda db: declare(db, organisation, declaration, digest=digest, overlap=overlap, now=now))

    async def declaration(self, organisation: int) -> tuple[str, Declaration]:
        """See Organisations."""
        return await self._read(lambda db: select_declaration(db, organisation))

    async def endpoints(self) -> Sequence[ProxyEndpoint]:
        """See Organisations."""
        return await self._read(lambda db: list(select_endpoints(db)))

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._database.run(work)
        except sqlite3.Error as error:
            raise explained(error, self._path) from error

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._read(transaction(work))


def add(
    db: sqlite3.Connection, *, name: str, quota_events: int | None, quota_bytes: int | None, actor: str, now: Micros
) -> Organisation:
    """Raises ProblemError: domain_taken, domain_confusable, domain_rests, and what `touchpoints.name` finds."""
    check_name(db, name, now)
    db.execute(rows.INSERT_ORGANISATION, (name, quota_events, quota_bytes, now))
    write_audit(db, AuditLine(at=now, actor=actor, action="organisation.add", detail=name))
    return rows.organisation_named(db, name)


def check_name(db: sqlite3.Connection, name: str, now: Micros) -> None:
    """Raise ProblemError for a name that no new organisation may have."""
    if trouble := name_problem(name, path="name", domain=True):
        raise ProblemError(trouble)
    form = confusable_form(name)
    for other in rows.select_organisations(db):
        if other.name == name:
            raise ProblemError(problem("domain_taken", path="name", name=name))
        if confusable_form(other.name) == form:
            raise ProblemError(problem("domain_confusable", path="name", name=name, other=other.name))
    if rows.name_rests(db, name, now - NAME_RESTS):
        raise ProblemError(problem("domain_rests", path="name", name=name))


def change(
    db: sqlite3.Connection, *, name: str, quota_events: int | None, quota_bytes: int | None, actor: str, now: Micros
) -> Organisation:
    """Raises ProblemError(organisation_unknown)."""
    found = rows.organisation_named(db, name)
    db.execute(rows.UPDATE_QUOTA, (quota_events, quota_bytes, found.id))
    write_audit(db, AuditLine(at=now, actor=actor, action="organisation.change", detail=name))
    return rows.organisation_named(db, name)


def remove(db: sqlite3.Connection, *, name: str, actor: str, now: Micros) -> Organisation:
    """Raises ProblemError(organisation_unknown)."""
    found = rows.organisation_named(db, name)
    rows.remove_organisation(db, found.id, now)
    write_audit(db, AuditLine(at=now, actor=actor, action="organisation.remove", detail=name))
    return found
