import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from appliance import refusals as refusals_module
from appliance.refusals import SAMPLE_BYTES, SAMPLES_A_MINUTE, WAITING_SAMPLES, Refusals
from store.inbox import StoreUnavailable
from store.log import Filter
from store.sqlite.events_file import EventsFile
from tests.appliance.stage import FakeClock
from tests.store.make import event, opened
from touchpoints.event import Verdict
from touchpoints.moment import MINUTE

pytestmark = pytest.mark.anyio


def _note(refusals: Refusals, number: int, body: bytes = b"{}", **fields: Any) -> None:
    refusals.note(event(number, body, **{"verdict": Verdict.REFUSED, "reason": "signature_wrong", **fields}), body)


async def _seen(file: EventsFile) -> tuple[int, Mapping[tuple[int, str], int]]:
    """How many samples are kept, and all that was counted."""
    listed = await file.log.events(Filter(state="refused"), limit=1000)
    return len(listed), await file.log.refusals()


async def test_all_are_counted_and_few_are_kept(tmp_path: Path) -> None:
    """However many come, a minute keeps so many samples of each touchpoint; the next minute keeps more."""
    clock = FakeClock()
    refusals = Refusals(now=clock.now)
    async with opened(tmp_path / "events.db") as file:
        for number in range(1000):
            _note(refusals, number)
        _note(refusals, 5000, touchpoint=2, reason="signature_missing")
        await refusals.flush(file.inbox)
        assert await _seen(file) == (
            SAMPLES_A_MINUTE + 1,
            {(1, "signature_wrong"): 1000, (2, "signature_missing"): 1},
        )
        clock.forward(MINUTE)
        _note(refusals, 6000)
        await refusals.flush(file.inbox)
        await refusals.flush(file.inbox)
        assert await _seen(file) == (
            SAMPLES_A_MINUTE + 2,
            {(1, "signature_wrong"): 1001, (2, "signature_missing"): 1},
        )


async def test_a_large_body_is_only_counted(tmp_path: Path) -> None:
    """A stranger cannot fill the disk with samples."""
    refusals = Refusals(now=FakeClock().now)
    async with opened(tmp_path / "events.db") as file:
        _note(refusals, 1, b"x" * (SAMPLE_BYTES + 1))
        _note(refusals, 2, b"x" * SAMPLE_BYTES)
        await refusals.flush(file.inbox)
        assert await _seen(file) == (1, {(1, "signature_wrong"): 2})


def test_what_waits_in_memory_is_bounded() -> None:
    """Also over many touchpoints and minutes while nothing can be written."""
    clock = FakeClock()
    refusals = Refusals(now=clock.now)
    for number in range(1000):
        _note(refusals, number, touchpoint=number)
        clock.forward(MINUTE)
    assert len(refusals._samples) == WAITING_SAMPLES


async def test_nothing_is_lost_while_the_store_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts and samples wait, whichever of the two could not be written, and are not doubled."""
    monkeypatch.setattr(refusals_module, "SAMPLES_A_MINUTE", 2)
    refusals = Refusals(now=FakeClock().now)
    async with opened(tmp_path / "events.db") as file:
        put, count = file.inbox.put, file.inbox.count_refusals
        failing = {"put", "count"}

        async def try_put(arrival: Any) -> None:
            if "put" in failing:
                raise StoreUnavailable("disk_full")
            await put(arrival)

        async def try_count(refused: Any, *, now: int) -> None:
            if "count" in failing:
                raise StoreUnavailable("disk_full")
            await count(refused, now=now)

        monkeypatch.setattr(file.inbox, "put", try_put)
        monkeypatch.setattr(file.inbox, "count_refusals", try_count)
        for number in range(5):
            _note(refusals, number)
        await refusals.flush(file.inbox)
        assert await _seen(file) == (0, {})
        failing.remove("count")
        await refusals.flush(file.inbox)
        assert await _seen(file) == (0, {(1, "signature_wrong"): 3})
        failing.clear()
        await refusals.flush(file.inbox)
        assert await _seen(file) == (2, {(1, "signature_wrong"): 5})


async def test_a_flush_that_is_cut_off_loses_no_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stop cuts off a flush under way and makes a last one."""
    refusals = Refusals(now=FakeClock().now)
    async with opened(tmp_path / "events.db") as file:
        put, began = file.inbox.put, asyncio.Event()

        async def hang(_: Any) -> None:
            began.set()
            await asyncio.sleep(60)

        monkeypatch.setattr(file.inbox, "put", hang)
        for number in range(3):
            _note(refusals, number)
        task = asyncio.get_running_loop().create_task(refusals.flush(file.inbox))
        await began.wait()
        task.cancel()
        await asyncio.wait([task])
        monkeypatch.setattr(file.inbox, "put", put)
        await refusals.flush(file.inbox)
        assert await _seen(file) == (3, {(1, "signature_wrong"): 3})
