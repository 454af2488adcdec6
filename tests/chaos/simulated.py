"""The seeded simulation of the whole, for as many seeds as asked."""

import asyncio
import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.chaos.found import Found
from tests.simulation.__main__ import played, quiet

PIECE = 250  # seeds that one process plays at a time


async def seeds(folder: Path, *, count: int, first: int = 0) -> Found:
    """`python -m tests.simulation SEED` plays one again. Many are shared out among the machine's cores."""
    if count <= PIECE:
        found = await asyncio.to_thread(_play, folder, range(first, first + count))
    else:
        found = await asyncio.to_thread(_share, folder, range(first, first + count))
    found.notes.append(f"{count} seeds")
    return found


def _share(folder: Path, numbers: range) -> Found:
    pieces = [numbers[start : start + PIECE] for start in range(0, len(numbers), PIECE)]
    places = [folder / str(piece.start) for piece in pieces]
    for place in places:
        place.mkdir()
    context = multiprocessing.get_context("spawn")
    found = Found()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, initializer=quiet) as pool:
        for one in pool.map(_play, places, pieces):
            found.add(one)
    return found


def _play(folder: Path, numbers: Iterable[int]) -> Found:
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
    return found
