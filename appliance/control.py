"""The control: answers the JSON API for an opened process, one change at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from appliance.alerts.watchman import Watchman
from appliance.bind_first import bind_first
from appliance.captures import Captures
from appliance.deeds import Deeds
from appliance.knocks import Knocks
from appliance.late_file import MIGRATING
from appliance.needs import Need
from appliance.overview import overview
from appliance.rehearsal import Rehearsal
from appliance.selection import select
from appliance.status import Status
from store.actions import Done
from store.configuration import Actor, Applied, ConfigurationStore, Document
from store.inbox import StoreUnavailable
from store.log import Filter, Log
from store.people import AuditLine, People
from store.settings import Configuration
from touchpoints.moment import Micros
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.retry import Health

Json = dict[str, Any]


class Control:
    """See web.control.Control."""

    def __init__(
        self,
        *,
        store: ConfigurationStore,
        people: People,
        log: Callable[[], Log | None],
        missing: Callable[[], StoreUnavailable],
        deeds: Callable[[], Deeds | None],
        rehearsal: Callable[[], Rehearsal | None],
        status: Status,
        configuration: Callable[[], Configuration],
        endpoint_urls: Callable[[], Mapping[int, str]],
        environment: Mapping[str, str],
        rebind: Callable[[Configuration], Awaitable[None]],
        follow: Callable[[Configuration], Awaitable[None]],
        health: Callable[[], Mapping[int, Health]],
        check: Callable[[], Awaitable[dict[str, bool]]],
        watchman: Watchman,
        captures: Captures,
        knocks: Knocks,
        start_empty: Callable[[], Awaitable[None]],
        wake: Callable[[], None],
        now: Callable[[], Micros],
    ) -> None:
        """`rebind` moves the public listener or raises ProblemError and leaves it; `follow` does all the rest.

        `missing` says why there is no `log`, and no `deeds` nor `rehearsal`.
        `endpoint_urls` gives those at the proxy, by the touchpoint's id.
        """
        self._store = store
        self._people = people
        self._log = log
        self._missing = missing
        self._deeds = deeds
        self._rehearsal = rehearsal
        self._status = status
        self._configuration = configuration
        self._endpoint_urls = endpoint_urls
        self._environment = environment
        self._rebind = rebind
        self._follow = follow
        self._health = health
        self._check = check
        self._watchman = watchman
        self._captures = captures
        self._knocks = knocks
        self._start_empty = start_empty
        self._wake = wake
        self._now = now
        self._changing = asyncio.Lock()

    def configuration(self) -> Configuration:
        """See web.control.Control."""
        return self._configuration()

    async def status(self) -> Json:
        """See web.control.Control."""
        return await self._status.read()

    async def needs(self) -> tuple[Sequence[Need], bool]:
        """What needs a person, and whether the events file could be asked."""
        return await self._status.needs()

    def alerts(self) -> Json:
        """See web.control.Control."""
        return self._watchman.shown()

    async def test_alerts(self, document: Document | None, *, actor: Actor) -> Json:
        """See web.control.Control."""
        configuration: Configuration | None = self._configuration()
        if document is not None:
            tried = await self.apply(document, base="", digest="", prune=False, dry_run=True, actor=actor)
            if tried.problems:
                raise ProblemError(*tried.problems)
            configuration = tried.configuration
        tested = await self._watchman.test((configuration or self._configuration()).alerts)
        came_to = ", ".join(f"{one['channel']} {'sent' if one['sent'] else 'failed'}" for one in tested["channels"])
        await self._note(actor, "alerts.test", came_to)
        return tested

    async def touchpoints(self) -> Json:
        """See web.control.Control."""
        log = self._log()
        backlog = await log.destinations() if log else {}
        last = await log.last_events() if log else {}
        return overview(self._configuration(), backlog, self._health(), last, self._endpoint_urls())

    async def apply(self, document: Document, *, base: str, digest: str, prune: bool, dry_run: bool, actor: Actor) -> Applied:
        """See web.control.Control. The new address is bound before anything is saved, the old one kept when that fails."""

        async def save(dry: bool) -> Applied:
            return await self._store.apply(
                document,
                base=base,
                digest=digest,
                prune=prune,
                dry_run=dry,
                actor=actor,
                environment=self._environment,
                undelivered=await self._undelivered(removing=prune),
                now=self._now(),
            )

        async with self._changing:
            applied = await bind_first(
                save, dry_run=dry_run, before=self._configuration(), rebind=self._rebind, refused=_refused
            )
            return applied if dry_run else await self._followed(applied)

    async def show(self) -> str:
        """See web.control.Control."""
        return await self._store.show()

    async def secret_sources(self) -> Mapping[str, str]:
        """See web.control.Control."""
        return await self._store.secret_sources()

    async def rename(self, old: str, new: str, *, actor: Actor) -> Applied:
        """See web.control.Control."""
        async with self._changing:
            return await self._followed(await self._store.rename(old, new, actor=actor, now=self._now()))

    async def remove(self, name: str, *, destination: str = "", actor: Actor) -> Applied:
        """See web.control.Control."""
        async with self._changing:
            waiting = await self._undelivered(removing=True)
            removed = await self._store.remove(name, destination=destination, actor=actor, undelivered=waiting, now=self._now())
            return await self._followed(removed)

    async def test(
        self, touchpoint: str, body: bytes | None, *, headers: Mapping[str, str], deliver: bool, actor: Actor
    ) -> Json:
        """See web.control.Control."""
        rehearsal = self._rehearsal()
        if rehearsal is None:
            raise self._missing()
        played = await rehearsal.play(touchpoint, body, headers=headers, deliver=deliver)
        await self._note(actor, "touchpoint.test", f"{touchpoint}{' delivered' if deliver else ''}")
        return played

    async def trial(self, touchpoint: str, event_id: str, *, secret: str = "") -> Json | None:
        """See web.control.Control."""
        rehearsal = self._rehearsal()
        if rehearsal is None:
            raise self._missing()
        return await rehearsal.trial(touchpoint, event_id, secret=secret)

    async def act(self, action: str, which: Filter, *, dry_run: bool, actor: Actor) -> Done:
        """See web.control.Control."""
        deeds = self._deeds()
        if deeds is None:
            raise self._missing()
        done = await deeds.do(action, which, dry_run=dry_run)
        if done.changed and not dry_run:
            self._wake()
            await self._note(actor, f"events.{action}", f"{done.changed} changed, first {', '.join(done.ids[:3])}")
        return done

    async def capture(self, touchpoint: int, secret: str, remote: str) -> Applied:
        """Take a secret that a sender set, where the touchpoint with that id has none: problem `secret_there` where it has."""
        async with self._changing:
            return await self._followed(await self._store.capture(touchpoint, secret, remote=remote, now=self._now()))

    def knock(self, touchpoint: int) -> Json | None:
        """See web.control.Control."""
        return self._knocks.of(touchpoint)

    def captured(self) -> list[Json]:
        """See web.control.Control."""
        return self._captures.shown()

    async def dismiss_captured(self, touchpoint: str, *, actor: Actor) -> None:
        """See web.control.Control."""
        found = next((one.id for one in self._configuration().touchpoints if one.name == touchpoint), None)
        if found is None:
            raise ProblemError(problem("touchpoint_unknown", path="touchpoint", name=ascii(touchpoint[:64])[1:-1]))
        await self._store.dismiss_captured(found, actor=actor, now=self._now())
        await self._captures.recall()

    async def check(self) -> Json:
        """See web.control.Control."""
        return await self._check()

    async def start_empty(self, *, actor: Actor) -> None:
        """See web.control.Control."""
        async with self._changing:
            await self._start_empty()
        await self._note(actor, "events.start_empty", "the damaged file stays beside the new one")

    def selectors(self, names: Mapping[str, str]) -> Filter:
        """See web.control.Control."""
        return select(names, self._configuration(), now=self._now())

    async def _followed(self, applied: Applied) -> Applied:
        if applied.configuration is not None and not applied.problems:
            await self._follow(applied.configuration)
        return applied

    async def _undelivered(self, *, removing: bool) -> Mapping[int, int]:
        log = self._log()
        if log is None and removing and (missing := self._missing()).code == MIGRATING:
            raise missing  # in a while it can be said what goes along
        waiting = await log.destinations() if log else {}
        return {number: one.pending + one.held + one.given_up for number, one in waiting.items()}

    async def _note(self, actor: Actor, action: str, detail: str) -> None:
        await self._people.audit(AuditLine(at=self._now(), actor=actor.name, action=action, detail=detail))


def _refused(problems: tuple[Problem, ...]) -> Applied:
    return Applied(problems=problems)
