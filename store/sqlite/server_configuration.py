"""The proxy's configuration in SQLite, beside its organisations."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from store.configuration import Actor, Document
from store.document import check_nesting
from store.machine_right import missing_rights
from store.organisations import NAME_RESTS, Organisation
from store.people import AuditLine
from store.server_configuration import ServerApplied
from store.server_definition import read_server_configuration
from store.server_document import compare_server, merge_server, server_made_absolute, server_toml
from store.server_settings import OrganisationSettings, ServerConfiguration
from store.sqlite.configuration_rows import read_settings, write_settings
from store.sqlite.instance import Instance, read_instance, write_instance
from store.sqlite.organisations_rows import (
    INSERT_ORGANISATION,
    UPDATE_QUOTA,
    name_rests,
    remove_organisation,
    select_organisations,
)
from store.sqlite.people import write_audit
from touchpoints.definition_setting import Reading, join
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.size import format_size

_SIGNING_KEY = "proxy signing key"


class SqliteServerConfiguration(Instance):
    """A ServerConfigurationStore over the proxy's configuration.db, which is at `path`."""

    async def load(self) -> ServerConfiguration:
        """See ServerConfigurationStore."""
        return await self._run(_load)

    async def apply(
        self,
        document: Document,
        *,
        base: str,
        prune: bool,
        dry_run: bool,
        actor: Actor,
        waiting: Mapping[int, int],
        now: Micros,
        digest: str = "",
    ) -> ServerApplied:
        """See ServerConfigurationStore."""
        try:
            check_nesting(document)
        except ProblemError as error:
            return ServerApplied(problems=error.problems)
        given = server_made_absolute(document, Path(base))

        def work(db: sqlite3.Connection) -> ServerApplied:
            applied = _apply(db, given, prune=prune, actor=actor, waiting=waiting, now=now)
            if not applied.problems and not dry_run:
                if digest:
                    write_instance(db, "applied_digest", digest)
                db.execute("COMMIT")
            return applied

        return await self._run(work)

    async def show(self) -> str:
        """See ServerConfigurationStore."""
        return server_toml(await self._run(read_server_document))

    async def signing_key(self, fresh: bytes) -> bytes:
        """See ServerConfigurationStore."""

        def work(db: sqlite3.Connection) -> bytes:
            if found := read_instance(db, "signing_key"):
                return bytes.fromhex(self._vault.open(bytes.fromhex(found), context=_SIGNING_KEY))
            sealed = self._vault.seal(fresh.hex(), context=_SIGNING_KEY)
            write_instance(db, "signing_key", sealed.hex())
            db.execute("COMMIT")
            return fresh

        return await self._run(work)


def _load(db: sqlite3.Connection) -> ServerConfiguration:
    reading = Reading()
    configuration = read_server_configuration(read_server_document(db), reading)
    if reading.problems:
        raise ProblemError(*reading.problems)
    db.execute("COMMIT")
    return configuration


def _apply(
    db: sqlite3.Connection, document: Document, *, prune: bool, actor: Actor, waiting: Mapping[int, int], now: Micros
) -> ServerApplied:
    stored = read_server_document(db)
    organisations = {one.name: one for one in select_organisations(db)}
    merged = merge_server(stored, document, prune=prune)
    reading = Reading()
    configuration = read_server_configuration(merged, reading)
    changes = compare_server(stored, merged)
    problems = [
        *reading.problems,
        *missing_rights(changes, actor),
        *_refused(db, configuration, organisations, waiting, now),
    ]
    if problems:
        return ServerApplied(problems=tuple(problems))
    write_settings(db, merged, but="organisation")
    removed = _write_organisations(db, configuration.organisations, organisations, now)
    if changes:
        detail = ", ".join(f"{change.path} {change.what}" for change in changes)
        write_audit(db, AuditLine(at=now, actor=actor.name, action="config.apply", detail=detail))
    return ServerApplied(changes=changes, removed=removed, configuration=configuration)


def read_server_document(db: sqlite3.Connection) -> Document:
    """The stored document."""
    document = read_settings(db)
    if organisations := select_organisations(db):
        document["organisation"] = [_table(one) for one in organisations]
    return document


def _table(organisation: Organisation) -> dict[str, Any]:
    table: dict[str, Any] = {"name": organisation.name}
    if organisation.quota_events is not None:
        table["quota_events"] = organisation.quota_events
    if organisation.quota_bytes is not None:
        table["quota_bytes"] = format_size(organisation.quota_bytes)
    return table


def _refused(
    db: sqlite3.Connection,
    configuration: ServerConfiguration,
    stored: Mapping[str, Organisation],
    waiting: Mapping[int, int],
    now: Micros,
) -> Iterator[Problem]:
    """A problem for each organisation that may not come, or may not go."""
    names = {one.name for one in configuration.organisations}
    for name in sorted(names - stored.keys()):
        if name_rests(db, name, now - NAME_RESTS):
            yield problem("domain_rests", path=join(join("organisation", name), "name"), name=name)
    for name, organisation in stored.items():
        if name not in names and waiting.get(organisation.id):
            yield problem("organisation_has_events", path=join("organisation", name), count=waiting[organisation.id])


def _write_organisations(
    db: sqlite3.Connection, wanted: tuple[OrganisationSettings, ...], stored: Mapping[str, Organisation], now: Micros
) -> tuple[int, ...]:
    """Add, change and remove organisations; the ids of those that are gone."""
    names = {organisation.name for organisation in wanted}
    gone = [one.id for name, one in stored.items() if name not in names]
    for number in gone:
        remove_organisation(db, number, now)
    for organisation in wanted:
        known = stored.get(organisation.name)
        quota = (organisation.quota_events, organisation.quota_bytes)
        if known is None:
            db.execute(INSERT_ORGANISATION, (organisation.name, *quota, now))
        elif quota != (known.quota_events, known.quota_bytes):
            db.execute(UPDATE_QUOTA, (*quota, known.id))
    return tuple(gone)
