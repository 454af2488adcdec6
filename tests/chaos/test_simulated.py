"""Seeds that are shared out among processes."""

from pathlib import Path

import pytest

from tests.chaos import simulated

pytestmark = pytest.mark.anyio


async def test_many_seeds_find_what_each_finds_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the long run plays them, beside each other, and as a short one does."""
    (tmp_path / "alone").mkdir()
    alone = await simulated.seeds(tmp_path / "alone", count=4)
    monkeypatch.setattr(simulated, "PIECE", 2)
    shared = await simulated.seeds(tmp_path, count=4)
    assert (shared.tried, shared.repeated, shared.good) == (alone.tried, alone.repeated, True)
    assert shared.tried > 0
