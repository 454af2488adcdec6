"""Two hundred seeds: nothing is lost, stuck or admitted, and no event runs at two agents, whatever befalls them."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import structlog

from tests.simulation.__main__ import played
from tests.simulation.disk import SimDatabase
from tests.simulation.loop import VirtualLoop
from tests.simulation.world import play

T = TypeVar("T")
IS_EVENTS = "SELECT name FROM sqlite_master WHERE name = 'inbox'"
SEEDS = 200
TIMES = 4  # parts, so that a failure is seen early and each stays below the time a test may take


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Programs say a lot about faults that are made."""
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(TIMES))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # tasks of killed processes
def test_everything_arrives_whatever_befalls(tmp_path: Path, part: int) -> None:
    """`python -m tests.simulation SEED` plays one again."""
    bad = [verdict for verdict in played(tmp_path, range(part, SEEDS, TIMES)) if not verdict.good]
    assert bad == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_seed_is_the_same_world_each_time(tmp_path: Path) -> None:
    """The same things go wrong at the same moments, and the same comes of it."""
    play(tmp_path / "template", 0, None)
    twice = [play(tmp_path / f"{turn}", 12, tmp_path / "template") for turn in range(2)]
    assert twice[0] == twice[1]
    assert twice[0] is not None
    assert twice[0].struck


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_disk_that_lies_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were an event forgotten after its 2xx, the world would say so."""
    honest = SimDatabase.run

    async def forgetful(self: SimDatabase, work: Callable[[sqlite3.Connection], T]) -> T:
        result = await honest(self, work)
        if (
            not self.disk.fate.calm
            and self._connection.execute("SELECT name FROM sqlite_master WHERE name = 'inbox'").fetchone()
        ):
            self._connection.execute("DELETE FROM inbox")
        return result

    monkeypatch.setattr(SimDatabase, "run", forgetful)
    (verdict,) = played(tmp_path, [2])
    assert not verdict.good
    assert any("in 0 places" in what for what in verdict.wrong)


def test_time_goes_by_only_when_nobody_has_anything_to_do() -> None:
    """A day in a moment, in the order of what is due."""
    loop, order = VirtualLoop(), list[str]()

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(name)

    async def both() -> None:
        await asyncio.gather(sleeper("late", 86400.0), sleeper("early", 1.0))

    loop.run_until_complete(both())
    loop.close()
    assert order == ["early", "late"]
    assert loop.now == 86400.0
