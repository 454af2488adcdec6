"""The seeded simulation of the whole, for as many seeds as asked."""

import asyncio
from pathlib import Path

from tests.chaos.found import Found
from tests.simulation.__main__ import played


async def seeds(folder: Path, *, count: int, first: int = 0) -> Found:
    """`python -m tests.simulation SEED` plays one again."""
    return await asyncio.to_thread(_play, folder, range(first, first + count))


def _play(folder: Path, numbers: range) -> Found:
    found = Found()
    for verdict in played(folder, numbers):
        found.tried += verdict.tried
        found.lost += verdict.lost
        found.stuck += verdict.stuck
        found.repeated += verdict.repeated
        found.admitted += verdict.admitted
        if not verdict.good:
            found.notes.append(f"seed {verdict.seed}: {'; '.join(verdict.wrong[:3])}")
            found.must(not verdict.wrong, f"seed {verdict.seed}")
    found.notes.append(f"{len(numbers)} seeds")
    return found
