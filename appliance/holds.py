"""Holds: deliveries of a touchpoint that is on hold are kept back, and let go once it no longer is."""

import asyncio
from collections.abc import Callable

import structlog

from appliance.backup.aftermath import restored_up_to
from appliance.deeds import Deeds
from store.facts import Facts
from store.inbox import StoreUnavailable
from store.log import Filter
from store.settings import Configuration
from store.sqlite.instance import ON_HOLD
from touchpoints.problem import ProblemError
from touchpoints.touchpoint import TouchpointState

log = structlog.get_logger()


class Holds:
    """Which touchpoints' deliveries are kept back is remembered: a touchpoint may be taken off hold while its events cannot be
    reached, or nothing runs at all, and what waits is let go all the same."""

    def __init__(self, *, facts: Facts, deeds: Deeds, configuration: Callable[[], Configuration]) -> None:
        self._facts = facts
        self._deeds = deeds
        self._configuration = configuration
        self._unfinished = False
        self._doing = asyncio.Lock()

    async def carry_out(self) -> None:
        """Hold and let go as the configuration wants it; broken off anywhere, the next time ends it.

        One at a time: what began by an older configuration must not end after what a newer one wants. Raises StoreUnavailable.
        """
        async with self._doing:
            self._unfinished = True
            try:
                await self._carry_out()
            except ProblemError as error:
                raise StoreUnavailable(error.problems[0].code, why=error.problems[0]) from error
            self._unfinished = False

    async def catch_up(self) -> None:
        """Again, where it could not be done when it was wanted."""
        if self._unfinished:
            try:
                await self.carry_out()
            except StoreUnavailable as error:
                log.warning("holds_wait", code=error.code)

    async def _carry_out(self) -> None:
        touchpoints = self._configuration().touchpoints
        wanted = {one.id for one in touchpoints if one.state is TouchpointState.HOLD}
        carried_out = _read(await self._facts.fact(ON_HOLD))
        restored = await restored_up_to(self._facts)  # a backup holds for another reason: a person alone lets that go
        if not wanted <= carried_out:  # before anything is held: else nobody would know why
            await self._facts.keep_fact(ON_HOLD, _written(carried_out | wanted))
        for number in sorted(wanted):
            await self._deeds.do("hold", Filter(touchpoint=number, tests=True), dry_run=False)
        for number in sorted(carried_out.intersection(one.id for one in touchpoints) - wanted):
            await self._deeds.do("release", Filter(touchpoint=number, tests=True, above=restored), dry_run=False)
        if carried_out - wanted:
            await self._facts.keep_fact(ON_HOLD, _written(wanted))


def _read(kept: str) -> frozenset[int]:
    return frozenset(int(number) for number in kept.split(",") if number.isascii() and number.isdigit())


def _written(numbers: frozenset[int] | set[int]) -> str:
    return ",".join(map(str, sorted(numbers)))
