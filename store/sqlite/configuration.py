"""The configuration in SQLite: the file and the page write it, the process runs by it."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from store.captured import Captured
from store.configuration import Actor, Applied, Change, Document
from store.document import check_nesting, compare, made_absolute, merge, to_toml
from store.machine_right import missing_rights, refused_folders
from store.people import AuditLine
from store.sealing import Kept, Sealing, clear_secret, fingerprint_of, group
from store.secret_place import exchange_secrets, secret_texts
from store.settings import Configuration
from store.settings_definition import read_configuration
from store.sqlite.captured import delete_captured, select_captured, write_captured
from store.sqlite.configuration_rows import read_document, read_names, successors, write_document
from store.sqlite.database import Database
from store.sqlite.instance import Instance, write_instance
from store.sqlite.people import write_audit
from store.sqlite.secret_rows import SELECT_SECRETS, read_anew, read_secrets, renewed, write_secrets
from store.vault import Vault
from touchpoints.definition import Ids
from touchpoints.definition_setting import Reading, join
from touchpoints.moment import Micros
from touchpoints.name import name_problem
from touchpoints.problem import Problem, ProblemError, problem


class SqliteConfiguration(Instance):
    """A ConfigurationStore over configuration.db; `data_folder` is where no destination may write."""

    def __init__(self, database: Database, vault: Vault, data_folder: Path) -> None:
        super().__init__(database, vault, data_folder / "configuration.db")
        self._data_folder = data_folder

    async def load(self, environment: Mapping[str, str]) -> Configuration:
        """See ConfigurationStore. Raises ProblemError: key_wrong, secret_unreadable, or what a newer program's checks find."""
        return await self._run(partial(self._load, environment=environment))

    def _load(self, db: sqlite3.Connection, *, environment: Mapping[str, str]) -> Configuration:
        document, ids = read_document(db)
        kept = read_secrets(db, self._vault)
        fresh, warnings = read_anew(kept, environment, document)
        write_secrets(db, self._vault, kept, fresh)
        configuration, problems = self._read(db, document, ids, fresh)
        if problems:
            raise ProblemError(*problems)
        db.execute("COMMIT")
        return replace(configuration, warnings=tuple(warnings))

    def _read(
        self, db: sqlite3.Connection, document: Document, ids: Ids, kept: Mapping[str, Kept]
    ) -> tuple[Configuration, list[Problem]]:
        reading = Reading(clear=lambda text: clear_secret(text, kept))
        configuration = read_configuration(document, ids, reading)
        touchpoints, destinations = read_names(db)
        return replace(configuration, touchpoint_names=touchpoints, destination_names=destinations), reading.problems

    async def apply(
        self,
        document: Document,
        *,
        base: str,
        prune: bool,
        dry_run: bool,
        actor: Actor,
        environment: Mapping[str, str],
        undelivered: Mapping[int, int],
        now: Micros,
        digest: str = "",
    ) -> Applied:
        """See ConfigurationStore; `digest`, where given, is kept as the last file applied, in the same transaction."""
        try:
            check_nesting(document)
        except ProblemError as error:
            return Applied(problems=error.problems)
        work = partial(
            self._apply,
            document=document,
            base=Path(base),
            prune=prune,
            dry_run=dry_run,
            actor=actor,
            environment=environment,
            undelivered=undelivered,
            now=now,
            digest=digest,
        )
        return await self._run(work)

    def _apply(
        self,
        db: sqlite3.Connection,
        *,
        document: Document,
        base: Path,
        prune: bool,
        dry_run: bool,
        actor: Actor,
        environment: Mapping[str, str],
        undelivered: Mapping[int, int],
        now: Micros,
        digest: str,
    ) -> Applied:
        stored, ids = read_document(db)
        kept = read_secrets(db, self._vault)
        fresh, warnings = read_anew(kept, environment, stored)
        sealing = Sealing(
            vault=self._vault,
            kept=fresh,
            environment=environment,
            base=base,
            actor=actor,
            standing={(group(secret.path), secret.text, secret.reader) for secret in secret_texts(stored)},
        )
        merged = merge(stored, made_absolute(document, base), prune=prune)
        exchange_secrets(merged, sealing.exchange)
        read, found = self._read(db, merged, {}, sealing.kept)
        changes = compare(stored, merged)
        sealed = {trouble.path for trouble in sealing.problems}
        problems = [
            *sealing.problems,
            *(trouble for trouble in found if trouble.path not in sealed),
            *missing_rights(changes, actor),
            *refused_folders(read.touchpoints, self._data_folder, environment),
        ]
        if not problems:
            problems += still_undelivered(merged, ids, undelivered)
        if problems:
            return Applied(problems=tuple(problems))
        changes += renewed(merged, kept, sealing.kept)
        applied = self._save(db, merged, ids, kept, sealing.kept, changes, actor, now)
        if digest:
            write_instance(db, "applied_digest", digest)
        if not dry_run:
            db.execute("COMMIT")
        configuration = applied.configuration and replace(applied.configuration, warnings=tuple(warnings))
        return replace(applied, configuration=configuration)

    def _save(
        self,
        db: sqlite3.Connection,
        document: Document,
        ids: Ids,
        before: Mapping[str, Kept],
        after: Mapping[str, Kept],
        changes: tuple[Change, ...],
        actor: Actor,
        now: Micros,
        action: str = "config.apply",
    ) -> Applied:
        """Write a checked document with its secrets and its audit line, and give back what the process then runs by."""
        used = {secret.text.removeprefix("stored:") for secret in secret_texts(document)}
        write_secrets(db, self._vault, before, {key: kept for key, kept in after.items() if key in used})
        write_document(db, document, ids, now)
        if changes:
            detail = ", ".join(f"{change.path} {change.what}" for change in changes)
            write_audit(db, AuditLine(at=now, actor=actor.name, action=action, detail=detail))
        configuration, problems = self._read(db, *read_document(db), after)
        return Applied(problems=tuple(problems), changes=changes, configuration=None if problems else configuration)

    async def show(self) -> str:
        """See ConfigurationStore."""
        document, _ = await self._run(read_document)
        return to_toml(document)

    async def secret_sources(self) -> Mapping[str, str]:
        """See ConfigurationStore."""
        return await self._run(lambda db: {one: source for one, source, _ in db.execute(SELECT_SECRETS)})

    async def rename(self, old: str, new: str, *, actor: Actor, now: Micros) -> Applied:
        """See ConfigurationStore."""
        return await self._run(partial(self._rename, old=old, new=new, actor=actor, now=now))

    def _rename(self, db: sqlite3.Connection, *, old: str, new: str, actor: Actor, now: Micros) -> Applied:
        document, ids = read_document(db)
        items = document.get("touchpoint", [])
        item = next((item for item in items if item["name"] == old), None)
        if item is None:
            return Applied(problems=(problem("touchpoint_unknown", name=ascii(old[:64])[1:-1]),))
        if trouble := name_problem(new, path="name"):
            return Applied(problems=(trouble,))
        if old == new:
            return Applied()
        item["name"] = new
        item["aliases"] = [*(alias for alias in item.get("aliases", []) if alias != new), old]
        kept = read_secrets(db, self._vault)
        _, problems = self._read(db, document, {}, kept)
        if problems:
            return Applied(problems=tuple(problems))
        changes = (Change(path=join("touchpoint", old), what="changed"),)
        applied = self._save(db, document, ids, kept, kept, changes, actor, now, action="touchpoint.rename")
        db.execute("COMMIT")
        return applied

    async def remove(
        self, name: str, *, destination: str = "", actor: Actor, undelivered: Mapping[int, int], now: Micros
    ) -> Applied:
        """See ConfigurationStore."""
        work = partial(self._remove, name=name, destination=destination, actor=actor, undelivered=undelivered, now=now)
        return await self._run(work)

    def _remove(
        self,
        db: sqlite3.Connection,
        *,
        name: str,
        destination: str,
        actor: Actor,
        undelivered: Mapping[int, int],
        now: Micros,
    ) -> Applied:
        document, ids = read_document(db)
        if (name,) not in ids:
            return Applied(problems=(problem("touchpoint_unknown", name=ascii(name[:64])[1:-1]),))
        if destination and (name, destination) not in ids:
            return Applied(problems=(problem("destination_unknown", name=ascii(destination[:64])[1:-1]),))
        path = join("touchpoint", name)
        if destination:
            path = join(join(path, "destination"), destination)
            touchpoint = next(item for item in document["touchpoint"] if item["name"] == name)
            touchpoint["destination"] = [item for item in touchpoint["destination"] if item["name"] != destination]
        else:
            document["touchpoint"] = [item for item in document["touchpoint"] if item["name"] != name]
        if problems := tuple(still_undelivered(document, ids, undelivered)):
            return Applied(problems=problems)
        kept = read_secrets(db, self._vault)
        action = "destination.remove" if destination else "touchpoint.remove"
        applied = self._save(db, document, ids, kept, kept, (Change(path=path, what="removed"),), actor, now, action=action)
        db.execute("COMMIT")
        return applied

    async def capture(self, touchpoint: int, secret: str, *, remote: str, now: Micros) -> Applied:
        """See ConfigurationStore."""
        return await self._run(partial(self._capture, touchpoint=touchpoint, secret=secret, remote=remote, now=now))

    def _capture(self, db: sqlite3.Connection, *, touchpoint: int, secret: str, remote: str, now: Micros) -> Applied:
        document, ids = read_document(db)
        item = next((item for item in document.get("touchpoint", []) if ids[(item["name"],)] == touchpoint), None)
        if item is None or item.get("secrets"):
            return Applied(problems=(problem("secret_there"),))
        fingerprint = fingerprint_of(self._vault, "", secret)
        item["secrets"] = [f"stored:{fingerprint}"]
        kept = read_secrets(db, self._vault)
        more = {**kept, fingerprint: Kept(source="", value=secret)}
        _, problems = self._read(db, document, {}, more)
        if problems:
            return Applied(problems=tuple(problems))
        changes = (Change(path=join(join("touchpoint", item["name"]), "secrets"), what="changed"),)
        sender = Actor(name=f"sender:{remote}")
        applied = self._save(db, document, ids, kept, more, changes, sender, now, action="secret.capture")
        write_captured(db, Captured(touchpoint=touchpoint, at=now, remote=remote, fingerprint=fingerprint))
        db.execute("COMMIT")
        return applied

    async def captured(self) -> Sequence[Captured]:
        """See ConfigurationStore."""
        return await self._run(select_captured)

    async def dismiss_captured(self, touchpoint: int, *, actor: Actor, now: Micros) -> None:
        """See ConfigurationStore."""

        def work(db: sqlite3.Connection) -> None:
            if delete_captured(db, touchpoint):
                names, _ = read_names(db)
                write_audit(db, AuditLine(at=now, actor=actor.name, action="secret.seen", detail=names[touchpoint]))
                db.execute("COMMIT")

        await self._run(work)


def still_undelivered(document: Document, ids: Ids, undelivered: Mapping[int, int]) -> Iterator[Problem]:
    """A problem for each destination that would go while events wait for it."""
    living = {(len(key), number) for key, number in successors(document, ids).items()}
    for key, number in ids.items():
        if len(key) == 2 and (2, number) not in living and undelivered.get(number):
            path = join(join("touchpoint", key[0]), f"destination.{key[1]}")
            yield problem("undelivered_events", path=path, count=undelivered[number])
