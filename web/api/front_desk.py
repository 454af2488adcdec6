"""What the handlers need that a client's agent and a hosted proxy have in common: people, sessions, tokens, audit, backups."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from store.door import Door
from store.people import AuditLine, People
from touchpoints.moment import Micros
from web.facts import Facts
from web.guard import Caller
from web.live import Live
from web.membership import Standing
from web.page.setup_link import SetupLink
from web.page.times import Times, utc
from web.safekeeping import Safekeeping
from web.vitals import Vitals


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDesk:
    """Everything that signing in, people, tokens and the audit log reach for, whichever role runs."""

    people: People
    door: Door
    safekeeping: Safekeeping
    link: SetupLink
    loopback: Callable[[], str | None]  # the page's address on this machine; None while no process runs
    instance: Callable[[], str]  # this instance's id
    machine_token_digest: bytes  # SHA-256 of this start's token
    now: Callable[[], Micros]
    local: Callable[[Micros], datetime] = utc  # a moment in this machine's zone
    new_token: Callable[[], str]  # a fresh API token, long and random
    facts: Callable[[], Facts] = Facts  # where and by what the process runs
    log_tail: Callable[[], str] = str  # the last lines of the program's own log; reads the disk
    live: Live = field(default_factory=Live)
    vitals: Callable[[], Vitals] = Vitals  # how the process fares, without asking the disk
    first_step: str = "/begin/arrival"  # where the page leads after the first password
    tabs: tuple[str, ...] = ()  # the settings' screens of this role; empty: the agent's

    @property
    def standing(self) -> Standing:
        """How this process stands at a hosted proxy; only an agent does."""
        return Standing()

    @property
    def mode(self) -> str | None:
        """How webhooks arrive at this process, as chosen: direct, proxy, both; None: not yet, or not an agent's to choose."""
        return None

    @property
    def times(self) -> Times:
        """How moments are told now."""
        return Times(now=self.now(), local=self.local)

    async def write_down(self, caller: Caller, action: str, detail: str) -> None:
        """Write a line of the audit log."""
        await self.people.audit(AuditLine(at=self.now(), actor=caller.name, action=action, detail=detail))


CallerRequest = Request[Caller, Any, Any]
AtFrontDesk = SkipValidation[NamedDependency[FrontDesk]]
