"""The proxy's configuration in SQLite, beside its organisations."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from store.configuration import Actor, Document
from store.document import check_nesting
from store.machine_right import missing_rights
from store.organisations import NAME_RESTS, Organisation
from store.people import AuditLine
from store.sealing import Kept, Sealing, clear_secret, group
from store.secret_place import exchange_secrets, secret_texts
from store.server_configuration import ServerApplied
from store.server_definition import read_server_configuration
from store.server_document import compare_server, merge_server, server_made_absolute, server_toml
from store.server_settings import OrganisationSettings, ServerConfiguration
from store.sqlite.configuration_rows import read_settings, write_settings
from store.sqlite.instance import DELETE_SESSIONS, Instance, read_instance, write_instance
from store.sqlite.organisations_rows import (
    INSERT_ORGANISATION,
    UPDATE_QUOTA,
    name_rests,
    remove_organisation,
    select_organisations,
)
from store.sqlite.people import write_audit
from store.sqlite.secret_rows import SELECT_SECRETS, read_anew, read_secrets, renewed, write_secrets
from store.vault import Vault
from touchpoints.definition_setting import Reading, join
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.size import format_size

_SIGNING_KEY = "proxy signing key"
DELETE_CODES = "DELETE FROM codes"


class SqliteServerConfiguration(Instance):
    """A ServerConfigurationStore over the proxy's configuration.db, which is at `path`."""

    # A code that was used after the backup was made must not open the door again.
    _fleeting = (DELETE_SESSIONS, DELETE_CODES)

    async def load(self, environment: Mapping[str, str]) -> ServerConfiguration:
        """See ServerConfigurationStore."""
        return await self._run(partial(_load, vault=self._vault, environment=environment))

    async def apply(
        self,
        document: Document,
        *,
        base: str,
        prune: bool,
        dry_run: bool,
        actor: Actor,
        environment: Mapping[str, str],
        waiting: Mapping[int, int],
        now: Micros,
        digest: str = "",
    ) -> ServerApplied:
        """See ServerConfigurationStore."""
        try:
            check_nesting(document)
        except ProblemError as error:
            return ServerApplied(problems=error.problems)
        given = _Given(
            document=server_made_absolute(document, Path(base)),
            base=Path(base),
            prune=prune,
            actor=actor,
            environment=environment,
            waiting=waiting,
            now=now,
        )

        def work(db: sqlite3.Connection) -> ServerApplied:
            applied = _apply(db, given, self._vault)
            if not applied.problems and not dry_run:
                if digest:
                    write_instance(db, "applied_digest", digest)
                db.execute("COMMIT")
            return applied

        return await self._run(work)

    async def show(self) -> str:
        """See ServerConfigurationStore."""
        return server_toml(await self._run(read_server_document))

    async def secret_sources(self) -> Mapping[str, str]:
        """See ServerConfigurationStore."""
        return await self._run(lambda db: {one: source for one, source, _ in db.execute(SELECT_SECRETS)})

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What is to be applied, by whom, and what it is judged by."""

    document: Document
    base: Path
    prune: bool
    actor: Actor
    environment: Mapping[str, str]
    waiting: Mapping[int, int]
    now: Micros


def _load(db: sqlite3.Connection, *, vault: Vault, environment: Mapping[str, str]) -> ServerConfiguration:
    document, kept = read_server_document(db), read_secrets(db, vault)
    fresh, warnings = read_anew(kept, environment, document)
    write_secrets(db, vault, kept, fresh)
    configuration, problems = _read(document, fresh)
    if problems:
        raise ProblemError(*problems)
    db.execute("COMMIT")
    return replace(configuration, warnings=tuple(warnings))


def _read(document: Document, kept: Mapping[str, Kept]) -> tuple[ServerConfiguration, list[Problem]]:
    reading = Reading(clear=lambda text: clear_secret(text, kept))
    return read_server_configuration(document, reading), reading.problems


def _apply(db: sqlite3.Connection, given: _Given, vault: Vault) -> ServerApplied:
    stored, kept = read_server_document(db), read_secrets(db, vault)
    organisations = {one.name: one for one in select_organisations(db)}
    fresh, warnings = read_anew(kept, given.environment, stored)
    sealing = Sealing(
        vault=vault,
        kept=fresh,
        environment=given.environment,
        base=given.base,
        actor=given.actor,
        standing={(group(secret.path), secret.text, secret.reader) for secret in secret_texts(stored)},
    )
    merged = merge_server(stored, given.document, prune=given.prune)
    exchange_secrets(merged, sealing.exchange)
    configuration, found = _read(merged, sealing.kept)
    changes = compare_server(stored, merged)
    sealed = {trouble.path for trouble in sealing.problems}
    problems = [
        *sealing.problems,
        *(trouble for trouble in found if trouble.path not in sealed),
        *missing_rights(changes, given.actor),
        *_refused(db, configuration, organisations, given.waiting, given.now),
    ]
    if problems:
        return ServerApplied(problems=tuple(problems))
    changes += renewed(merged, kept, sealing.kept)
    used = {secret.text.removeprefix("stored:") for secret in secret_texts(merged)}
    write_secrets(db, vault, kept, {key: one for key, one in sealing.kept.items() if key in used})
    write_settings(db, merged, but="organisation")
    removed = _write_organisations(db, configuration.organisations, organisations, given.now)
    if changes:
        detail = ", ".join(f"{change.path} {change.what}" for change in changes)
        write_audit(db, AuditLine(at=given.now, actor=given.actor.name, action="config.apply", detail=detail))
    configuration = replace(configuration, warnings=tuple(warnings))
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
