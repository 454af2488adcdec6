"""The watch over quiet touchpoints: by history, by a limit, over restarts and under a clock that cannot be believed."""

from pathlib import Path

import pytest

from appliance.alerts.quiet import Quiet
from store.settings import AlertSettings, Configuration
from store.sqlite.events_file import EventsFile
from tests.appliance.stage import FakeClock
from tests.store.make import arrival, opened
from touchpoints.moment import DAY, HOUR, MINUTE, Micros
from touchpoints.touchpoint import Touchpoint, TouchpointState

pytestmark = pytest.mark.anyio


class Watch:
    """A quiet over a real events file; moments are told from its beginning."""

    def __init__(
        self, file: EventsFile, *, silence: Micros | str | None = "auto", state: TouchpointState | None = None
    ) -> None:
        self.clock = FakeClock()
        self.calm = True
        self.file = file
        touchpoint = Touchpoint(id=1, name="orders", state=state or TouchpointState.RUNNING)
        self.configuration = Configuration(touchpoints=(touchpoint,), alerts=AlertSettings(silence=silence))
        self.restart()

    def restart(self) -> None:
        self.quiet = Quiet(configuration=lambda: self.configuration, now=self.clock.now, calm=lambda: self.calm)

    async def look(self, *, came: bool = False, span: Micros = 0) -> dict[str, tuple[Micros, Micros | None]]:
        self.clock.forward(span)
        if came:
            self.last = {1: self.clock.now()}
        await self.quiet.look(getattr(self, "last", {}), self.file.arrivals)
        return self.quiet.found

    async def weeks(self) -> None:
        """Three weeks of an event an hour."""
        for _ in range(21 * 24):
            await self.look(came=True, span=HOUR)


async def test_longer_than_usual_is_found_and_ends_with_the_next_event(tmp_path: Path) -> None:
    """With what was usual before."""
    async with opened(tmp_path / "events.db") as file:
        watch = Watch(file)
        await watch.weeks()
        assert await watch.look(span=10 * HOUR) == {}
        assert await watch.look(span=10 * HOUR) == {"orders": (20 * HOUR, HOUR)}
        assert watch.quiet.unsure == frozenset()
        assert await watch.look(came=True, span=MINUTE) == {}


async def test_a_restart_is_no_all_clear(tmp_path: Path) -> None:
    """While Hookport did not run nothing could come: it counts from its start, and knows that it doesn't know."""
    async with opened(tmp_path / "events.db") as file:
        watch = Watch(file)
        await watch.weeks()
        assert await watch.look(span=DAY) != {}
        watch.restart()
        assert await watch.look(span=HOUR) == {}
        assert watch.quiet.unsure == {"orders"}
        assert await watch.look(span=DAY) == {"orders": (25 * HOUR, HOUR)}
        assert await watch.look(came=True, span=MINUTE) == {}
        assert watch.quiet.unsure == frozenset()


async def test_a_limit_needs_no_history(tmp_path: Path) -> None:
    """But one event: nobody waits for what never came."""
    async with opened(tmp_path / "events.db") as file:
        watch = Watch(file, silence=6 * HOUR)
        assert await watch.look(span=DAY) == {}
        await watch.look(came=True)
        assert await watch.look(span=6 * HOUR) == {}
        assert await watch.look(span=HOUR) == {"orders": (7 * HOUR, None)}


async def test_off_and_disabled_are_silent(tmp_path: Path) -> None:
    """Whatever the history says."""
    async with opened(tmp_path / "events.db") as file:
        off = Watch(file, silence=None)
        await off.weeks()
        assert await off.look(span=30 * DAY) == {}
        disabled = Watch(file, silence=HOUR, state=TouchpointState.DISABLED)
        await disabled.look(came=True)
        assert await disabled.look(span=DAY) == {}


async def test_a_clock_that_jumped_is_not_believed(tmp_path: Path) -> None:
    """A year that passed in a moment is nobody's silence, and no all-clear either."""
    async with opened(tmp_path / "events.db") as file:
        watch = Watch(file)
        await watch.weeks()
        watch.calm = False
        assert await watch.look(span=365 * DAY) == {}
        assert watch.quiet.unsure == {"orders"}


async def test_it_is_told_by_what_the_store_knows(tmp_path: Path) -> None:
    """Verified events count, tests don't."""
    async with opened(tmp_path / "events.db") as file:
        await file.inbox.put(arrival(1))
        await file.inbox.put(arrival(2, test=True, touchpoint=2))
        assert set(await file.log.last_events()) == {1}
