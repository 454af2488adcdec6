"""When the file of events is looked through: soon after a start, then each day, and not for every start of a day."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.clock import Clock
from appliance.look_through import LookThrough
from store.inbox import StoreUnavailable
from store.sqlite.database import AiosqliteDatabase
from store.sqlite.events_file import EventsFile
from tests.appliance.agents import agent_over
from tests.appliance.facts import FactsInMemory
from tests.store.make import NOW
from tests.store.test_look_through import damage_a_page, filled
from tests.web.proxy.kit import proxy_over
from touchpoints.moment import DAY, HOUR, Micros

pytestmark = pytest.mark.anyio


class Watched(EventsFile):
    """Counts the looks; `fails` is what one comes to instead."""

    looks = 0
    fails: Any = None
    growth: int | None = None

    async def look_through(self, *, growth: int | None = 0) -> bool | None:  # noqa: ARG002 - the shape of what it stands for
        self.looks += 1
        if self.fails is not None:
            raise self.fails
        return await super().look_through(growth=self.growth)


class Hands(Clock):
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.wall, self.ticks = NOW, 1

    def now(self) -> Micros:
        return self.wall

    def steady(self) -> Micros:
        return self.ticks


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Watched]:
    """A sound file."""
    await filled(tmp_path / "events.db")
    made = Watched(tmp_path / "events.db", AiosqliteDatabase.open, readers=1)
    await made._open(NOW, upgrade=True)
    yield made
    await made.close()


async def test_once_a_day_however_often_it_starts(file: Watched) -> None:
    """A start is no reason to read a large file again; an unclean stop is, and a clock that was wrong."""
    facts, clock = FactsInMemory(), Hands()

    async def looks() -> int:
        before, file.times_sound = file.looks, 0  # as in a process that has just begun
        chore = LookThrough(file=lambda: file, facts=facts, clock=clock)
        await chore.when_due()
        await chore.when_due()
        return file.looks - before

    assert [await looks(), await looks()] == [1, 0]
    file.stopped_uncleanly = True
    assert [await looks(), await looks()] == [1, 0]
    clock.wall += DAY
    assert [await looks(), await looks()] == [1, 0]
    clock.wall -= DAY // 2
    assert [await looks(), await looks()] == [1, 0]


async def test_what_could_not_be_done_is_tried_again_in_an_hour(file: Watched) -> None:
    """Neither a disk that fails nor one that is written to without a pause is read again and again."""
    clock = Hands()
    chore = LookThrough(file=lambda: file, facts=FactsInMemory(), clock=clock)
    file.fails = StoreUnavailable("store_failed")
    await chore.when_due()
    await chore.when_due()
    assert (file.looks, [one.code for one in chore.needs()]) == (1, ["store_part_unreadable"])
    file.fails = None
    clock.ticks += HOUR
    await chore.when_due()
    await chore.when_due()
    assert (file.looks, [*chore.needs()]) == (2, [])


async def test_a_week_without_a_look_is_told(file: Watched) -> None:
    """One that is given up again and again is in the log only, for some days."""
    clock = Hands()
    chore = LookThrough(file=lambda: file, facts=FactsInMemory(), clock=clock)
    file.growth = -1
    told = []
    for _ in range(9):
        await chore.when_due()
        told.append([one.code for one in chore.needs()])
        clock.wall, clock.ticks = clock.wall + DAY, clock.ticks + DAY
    assert told == [[]] * 7 + [["not_looked_through"]] * 2
    file.growth = None
    assert await file.check()  # as the words say
    await chore.when_due()
    assert [*chore.needs()] == []


async def test_the_agent_says_so(tmp_path: Path) -> None:
    """A damage that nothing read stands under what needs a person."""
    folder = tmp_path / "data"
    async with agent_over(folder):
        pass
    await filled(folder / "events.db")
    damage_a_page(folder / "events.db")
    async with agent_over(folder) as agent:
        await agent.look_through.when_due()
        assert "events_store_down" in [one["code"] for one in (await agent.control.status())["needs_you"]]


async def test_the_proxy_says_so(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """As the agent does."""
    folder = tmp_path / "proxy"
    async with proxy_over(folder, free_port()) as site:
        puller = await site.tenant("acme")
        for _ in range(20):
            assert (await site.post(puller, body=b"x" * 3000)).status_code == 200
    data = bytearray((folder / "queue.db").read_bytes())
    data[-8192 * 3 :] = bytes(8192 * 3)
    (folder / "queue.db").write_bytes(data)
    async with proxy_over(folder, free_port()) as site:
        await site.role._house.look_through.when_due()
        needs = [one["code"] for one in (await site.role.control.status())["needs_you"]]
        assert "queue_store_down" in needs
