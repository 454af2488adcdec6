"""What the API needs to answer: the process, the log, the people, and this start's token."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from store.door import Door
from store.log import Log
from store.people import AuditLine, People
from store.statistics import Statistics
from touchpoints.moment import Micros
from web.control import Control
from web.export.names import Names, names_of
from web.facts import Facts
from web.guard import Caller
from web.live import Live
from web.page.setup_link import SetupLink
from web.page.times import Times, utc
from web.vitals import Vitals


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything the handlers reach for."""

    control: Control
    log: Callable[[], Log]  # the log as it is now; raises StoreUnavailable while the events file cannot be used
    people: People
    door: Door
    link: SetupLink
    loopback: Callable[[], str | None]  # the page's address on this machine; None while no process runs
    instance: Callable[[], str]  # this instance's id
    machine_token_digest: bytes  # SHA-256 of this start's token
    now: Callable[[], Micros]
    local: Callable[[Micros], datetime] = utc  # a moment in this machine's zone
    new_token: Callable[[], str]  # a fresh API token, long and random
    spool: Path  # a folder for workbooks on the way
    facts: Callable[[], Facts] = Facts  # where and by what the process runs
    log_tail: Callable[[], str] = str  # the last lines of the program's own log; reads the disk
    statistics: Callable[[], Statistics]  # raises StoreUnavailable, as `log`
    live: Live = field(default_factory=Live)
    vitals: Callable[[], Vitals] = Vitals  # how the process fares, without asking the disk

    @property
    def names(self) -> Names:
        """What touchpoints and destinations are called now."""
        return names_of(self.control.configuration())

    @property
    def times(self) -> Times:
        """How moments are told now."""
        return Times(now=self.now(), local=self.local)

    async def write_down(self, caller: Caller, action: str, detail: str) -> None:
        """Write a line of the audit log."""
        await self.people.audit(AuditLine(at=self.now(), actor=caller.name, action=action, detail=detail))


CallerRequest = Request[Caller, Any, Any]
AtDesk = SkipValidation[NamedDependency[Desk]]
