"""The proxy's control: answers the operator's page and API for an opened process, one change at a time."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from appliance.bind_first import bind_first
from appliance.clock import Clock
from appliance.proxy.export import export_lines
from appliance.proxy.opening import OpenedProxy
from appliance.proxy.outlook import Outlook
from appliance.proxy.status import ProxyStatus
from store.configuration import Actor, Document
from store.inbox import StoreUnavailable
from store.people import AuditLine
from store.queue import Queue
from store.server_configuration import ServerApplied
from store.server_settings import ServerConfiguration
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.pull.pairing import new_code
from web.operator.view import FreshCode, OrganisationView
from web.proxy.directory import Directory
from web.proxy.hub import Hub
from web.proxy.lease import free_lease

Json = dict[str, Any]

_DRAWS = 8  # open codes seldom begin alike


class ProxyControl:
    """See web.operator.control.OperatorControl."""

    def __init__(
        self,
        *,
        opened: OpenedProxy,
        hub: Hub,
        outlook: Outlook,
        status: ProxyStatus,
        configuration: Callable[[], ServerConfiguration],
        rebind: Callable[[ServerConfiguration], Awaitable[None]],
        follow: Callable[[ServerConfiguration], Awaitable[None]],
        begun: Callable[[], Awaitable[None]],
        forget: Callable[[int], None],
        environment: Mapping[str, str],
        clock: Clock,
    ) -> None:
        """`rebind` moves the public listener or raises ProblemError and leaves it; `follow` does all the rest; `begun` is told
        that there is a fresh queue file, `forget` that an organisation is gone."""
        self._opened = opened
        self._hub = hub
        self._outlook = outlook
        self._status = status
        self._configuration = configuration
        self._rebind = rebind
        self._follow = follow
        self._begun = begun
        self._forget = forget
        self._environment = environment
        self._clock = clock
        self._changing = asyncio.Lock()

    def configuration(self) -> ServerConfiguration:
        """See OperatorControl."""
        return self._configuration()

    async def status(self) -> Json:
        """See OperatorControl."""
        return await self._status.read()

    async def organisations(self, *, after: str = "", limit: int = 0) -> Sequence[OrganisationView]:
        """See OperatorControl."""
        return await self._outlook.all(after=after, limit=limit)

    async def organisation(self, name: str) -> OrganisationView:
        """See OperatorControl."""
        return await self._outlook.one(name)

    async def add(self, name: str, *, quota_events: int | None, quota_bytes: int | None, actor: Actor) -> FreshCode:
        """See OperatorControl."""
        now = self._clock.now()
        async with self._changing:
            await self._opened.organisations.add(
                name, quota_events=quota_events, quota_bytes=quota_bytes, actor=actor.name, now=now
            )
            await self._hub.refresh()
        return await self.code(name, replaces="", actor=actor)

    async def code(self, name: str, *, replaces: str, actor: Actor) -> FreshCode:
        """See OperatorControl."""
        for left in reversed(range(_DRAWS)):
            fresh = new_code(os.urandom)
            try:
                kept = await self._opened.organisations.open_code(
                    name, find=fresh.find, secret=fresh.secret, replaces=replaces, actor=actor.name, now=self._clock.now()
                )
            except ProblemError as error:
                if error.problems[0].code != "pairing_code_clash" or not left:
                    raise
            else:
                return FreshCode(organisation=name, text=fresh.text(), expires_at=kept.expires_at, replaces=replaces)
        raise AssertionError("the last draw returns or raises")

    async def revoke(self, name: str, agent: str, *, actor: Actor) -> str:
        """See OperatorControl."""
        organisation = self._outlook.named(name)
        gone = await self._opened.organisations.revoke(organisation.id, agent, actor=actor.name, now=self._clock.now())
        await self._hub.refresh()
        self._hub.gatekeeper.forget(gone.id)
        self._hub.sightings.forget(gone.id)
        with suppress(StoreUnavailable):  # it runs out by itself
            await free_lease(self._hub, organisation.id)
        return gone.name

    async def change(self, name: str, *, quota_events: int | None, quota_bytes: int | None, actor: Actor) -> None:
        """See OperatorControl."""
        await self._opened.organisations.change(
            name, quota_events=quota_events, quota_bytes=quota_bytes, actor=actor.name, now=self._clock.now()
        )
        await self._hub.refresh()

    async def take_over(self, name: str, agent: str, *, actor: Actor) -> int:
        """See OperatorControl."""
        organisation, queue = self._outlook.named(name), self._needed()
        known = [one for one in await self._opened.organisations.agents(organisation.id) if agent in (one.id, one.name)]
        if not known:
            raise ProblemError(problem("agent_unknown", name=ascii(agent[:64])[1:-1]))
        # As in every other deed: an agent that calls itself by another's id stands in nobody's place.
        chosen = max(known, key=lambda one: (one.id == agent, one.state != "revoked", one.paired_at))
        count = await queue.take_over(organisation.id, chosen.id, now=self._clock.now(), steady=self._clock.steady())
        self._hub.bells.ring(organisation.id)
        await self._note(actor, "events.take_over", f"{name}: {count} of {chosen.name}")
        return count

    async def remove(self, name: str, *, actor: Actor) -> int:
        """See OperatorControl."""
        queue = self._needed()
        async with self._changing:
            waiting = (await queue.backlog(self._outlook.named(name).id)).events
            known = self._hub.directory()
            gone = await self._opened.organisations.remove(name, actor=actor.name, now=self._clock.now())
            await self._hub.refresh()
            await self._gone((gone.id,), known)
        return waiting

    async def export(self, name: str) -> AsyncIterator[bytes]:
        """See OperatorControl."""
        organisation = self._outlook.named(name)
        async for line in export_lines(organisation, self._opened.organisations, self._queue()):
            yield line

    async def apply(
        self, document: Document, *, base: str, digest: str, prune: bool, dry_run: bool, actor: Actor
    ) -> ServerApplied:
        """See OperatorControl. The new address is bound before anything is saved, the old one kept when that fails."""

        async def save(dry: bool) -> ServerApplied:
            queue = self._queue()
            waiting = {one: backlog.events for one, backlog in (await queue.backlogs()).items()} if queue else {}
            return await self._opened.configuration.apply(
                document,
                base=base,
                digest=digest,
                prune=prune,
                dry_run=dry,
                actor=actor,
                environment=self._environment,
                waiting=waiting,
                now=self._clock.now(),
            )

        async with self._changing:
            known = self._hub.directory()
            applied = await bind_first(
                save, dry_run=dry_run, before=self._configuration(), rebind=self._rebind, refused=_refused
            )
            if not dry_run and applied.configuration is not None:
                await self._follow(applied.configuration)
                await self._gone(applied.removed, known)
            return applied

    async def show(self) -> str:
        """See OperatorControl."""
        return await self._opened.configuration.show()

    async def secret_sources(self) -> Mapping[str, str]:
        """See OperatorControl."""
        return await self._opened.configuration.secret_sources()

    async def check(self) -> Json:
        """See OperatorControl."""
        return await self._opened.check()

    async def start_empty(self, *, actor: Actor) -> None:
        """See OperatorControl."""
        file = self._opened.queue
        if file is None or self._opened.usable is not None:
            raise ProblemError(problem("queue_file_usable"))
        async with self._changing:
            await file.start_empty(now=self._clock.now())
            await self._begun()
        await self._note(actor, "events.start_empty", "the damaged file stays beside the new one")

    async def _gone(self, organisations: Collection[int], known: Directory) -> None:
        """Nothing of removed organisations stays, in memory or on the disk; whoever waits for them is told.

        `known` is a directory that still had them; that of now has them no longer.
        """
        for agent in known.agents.values():
            if agent.organisation in organisations:
                self._hub.gatekeeper.forget(agent.id)
                self._hub.sightings.forget(agent.id)
        for organisation in organisations:
            self._hub.bells.call(organisation)
            self._hub.data_keys.forget(organisation)
            self._forget(organisation)
            if (queue := self._queue()) is not None:
                await queue.erase(organisation)

    def _queue(self) -> Queue | None:
        file = self._opened.usable
        return file.queue if file else None

    def _needed(self) -> Queue:
        if (queue := self._queue()) is None:
            raise self._opened.late.unavailable()
        return queue

    async def _note(self, actor: Actor, action: str, detail: str) -> None:
        await self._opened.people.audit(AuditLine(at=self._clock.now(), actor=actor.name, action=action, detail=detail))


def _refused(problems: tuple[Problem, ...]) -> ServerApplied:
    return ServerApplied(problems=problems)
