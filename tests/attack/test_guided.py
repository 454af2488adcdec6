"""Fuzzing guided by coverage: it finds what it should, and what stands open stands it for a moment."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.attack.control import target
from tests.attack.guided import HERE, Limits, breed
from tests.attack.mangle import mangled
from tests.attack.raw_bytes import RawBytes, raw_seeds

pytestmark = pytest.mark.anyio

guided = pytest.mark.skipif(not HERE, reason="atheris has no wheel for this system or this Python")


@guided
@pytest.mark.parametrize(("name", "words"), [("raises", "KeyError"), ("hangs", "timeout"), ("keeps", "out-of-memory")])
async def test_a_fault_is_found_and_told(tmp_path: Path, name: str, words: str) -> None:
    """An exception, a hang, and memory that is kept: each behind bytes that coverage leads to."""
    limits = Limits(seconds=30, each=3 if name != "hangs" else 1, mebibytes=250 if name == "keeps" else 1024)
    bred = await breed(tmp_path / name, name, target(name).seeds, limits, seed=1, place="tests.attack.control")
    assert words in bred.fault, bred
    assert "b'H" in bred.fault
    assert bred.tried > 0


@guided
async def test_who_does_well_is_told_as_that(tmp_path: Path) -> None:
    """As many inputs as were wanted, and no fault."""
    bred = await breed(tmp_path / "well", "well", [b"seed"], Limits(seconds=30, runs=500), seed=1, place="tests.attack.control")
    assert bred.fault == ""
    assert bred.tried >= 500


async def test_a_laxer_listener_would_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What two servers could understand in two ways is seen when it is answered 2xx, by bytes that are none of the seeds."""
    monkeypatch.setattr("web.listener.protocol.head_fault", lambda *_head: None)
    take = RawBytes()
    await asyncio.to_thread(take, raw_seeds()[1])
    with pytest.raises(AssertionError, match="no whole request"):
        await asyncio.to_thread(take, raw_seeds()[1].replace(b"Host: a", b"Host: a\r\nHost: b"))


async def test_a_connection_that_ended_is_forgotten() -> None:
    """Whatever it sent, nothing holds it."""
    take, chance = RawBytes(), Random("forgotten")
    for _ in range(40):
        await asyncio.to_thread(take, mangled(chance, raw_seeds()))
    take.look()


@guided
@pytest.mark.timeout(180)  # most of it is importing, which a busy machine makes long
async def test_the_listener_stands_it_for_a_moment(tmp_path: Path) -> None:
    """Raw bytes at the listener's protocol; `build.py chaos fuzz` goes on with all targets for half an hour."""
    bred = await breed(tmp_path / "listener", "listener", raw_seeds(), Limits(seconds=10, runs=100), seed=1)
    assert bred.fault == ""
    assert bred.tried > 0
