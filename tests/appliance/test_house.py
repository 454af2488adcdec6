"""The house: what was counted is on disk when the agent has stopped; what is full makes room as often as it can."""

from pathlib import Path
from typing import Any, cast

import pytest

from appliance.clock import Clock
from appliance.floor import Floor
from appliance.house import House
from store.settings import MIB, RetentionSettings
from store.sqlite.retention import Pruned
from tests.appliance.agents import agent_over
from touchpoints.moment import HOUR, MINUTE, Micros

pytestmark = pytest.mark.anyio


async def test_a_stop_writes_down_what_was_counted(tmp_path: Path) -> None:
    """The last seconds before a stop are in the chart as well."""
    async with agent_over(tmp_path / "data") as agent:
        agent._tally.received()
        await agent._house.write_down()
        now = agent._clock.now() // MINUTE * MINUTE
        spans = await agent.opened.readable().statistics.spans(since=now - HOUR, until=now + MINUTE, width=MINUTE)
    assert sum(figures.received for _, figures in spans) == 1


class Steady(Clock):
    """Monotonic time that goes when it is told."""

    def __init__(self) -> None:
        self.passed = 0

    def steady(self) -> Micros:
        return self.passed


class Works:
    """See appliance.works.Works and store.sqlite.retention.Retention: what a prune leaves, and what it was asked."""

    usable = True

    def __init__(self) -> None:
        self.stored = self.log = 0
        self.settled = True
        self.asked: list[int] = []

    @property
    def events(self) -> "Works":
        return self

    @property
    def retention(self) -> "Works":
        return self

    async def prune(self, policy: RetentionSettings, *, now: Micros, by_age: bool, beside: int) -> Pruned:
        assert (policy.size, by_age, now > 0) == (100 * MIB, False, True)
        self.asked.append(beside)
        if self.settled:
            self.stored = 90 * MIB
        return Pruned(bodies=int(self.settled), exhausted=not self.settled)


def house_over(works: Works, folder: Path, clock: Clock) -> tuple[House, Floor]:
    """A house that stores 100 MiB at most."""
    limit = RetentionSettings(size=100 * MIB)
    floor = Floor(folder, free_disk=lambda: 0, limit=lambda: limit.size, stored=lambda: (works.stored, works.log))
    nobody = cast(Any, None)
    house = House(
        works=lambda: cast(Any, works),
        floor=floor,
        refusals=nobody,
        tally=nobody,
        retention=lambda: limit,
        calm=lambda: True,
        clock=clock,
    )
    return house, floor


async def test_as_often_as_it_is_nearly_full_the_oldest_makes_room(tmp_path: Path) -> None:
    """Under much load no minute passes in which senders are turned away for what could go; the log is counted."""
    works, clock = Works(), Steady()
    house, floor = house_over(works, tmp_path, clock)
    for look in range(1, 5):
        clock.passed += 5_000_000
        works.stored, works.log = 96 * MIB, look * MIB
        await house._look_at_floor()
        assert floor.trouble is None
    assert works.asked == [1 * MIB, 2 * MIB, 3 * MIB, 4 * MIB]


async def test_where_nothing_may_go_it_is_tried_once_a_minute(tmp_path: Path) -> None:
    """All that is stored is read for that."""
    works, clock = Works(), Steady()
    house, floor = house_over(works, tmp_path, clock)
    works.stored, works.settled = 100 * MIB, False
    for _ in range(12):
        await house._look_at_floor()
        assert floor.trouble is not None
        clock.passed += 5_000_000
    assert len(works.asked) == 1
    works.settled = True
    await house._look_at_floor()
    assert (len(works.asked), floor.trouble) == (2, None)
