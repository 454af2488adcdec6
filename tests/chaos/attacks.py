"""Attacks by machines, for as long as one likes: calls as the APIs describe them, and mangled bytes at all that reads them."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from tests.attack.described import examine
from tests.attack.forms import send_mangled
from tests.attack.guided import HERE, Limits, breed
from tests.attack.mangle import mangled
from tests.attack.target import Target
from tests.attack.targets import targets
from tests.chaos.found import Found

_FORMS = 0.1  # of the time, where the rest is for what is bred by coverage
_SENDERS = 0.25  # what a sender's share is beside another target's: most of their code is one


async def described(
    folder: Path, *, examples: int, seconds: float | None = None, proxies: Sequence[bool] = (False, True)
) -> Found:
    """Every check of Schemathesis at the agent's API and at the proxy's, `seconds` each; `tried` counts calls."""
    found = Found()
    for proxy in proxies:
        place = folder / f"described-{proxy}" / "data"
        outcome = await asyncio.to_thread(examine, place, proxy=proxy, examples=examples, seconds=seconds)
        found.tried += outcome.calls
        for operation, why in outcome.failures.items():
            found.fault(f"{operation}: {why}")
    return found


async def fuzz(folder: Path, *, rounds: int = 1, seconds: float = 0.0, seed: int = 7) -> Found:
    """Bytes at all that reads a stranger's, until `seconds` have passed; `tried` counts inputs.

    `rounds` of mangled bytes and forms at least. Where atheris is, forms have a tenth of the time, and then each target has its
    share of the rest in a process of its own; elsewhere all of it goes to such rounds.
    """
    found, chance = Found(), Random(seed)
    began, made = time.monotonic(), await asyncio.to_thread(targets)
    mangling = seconds * _FORMS if HERE else seconds
    number = 0
    while number < rounds or time.monotonic() < began + mangling:
        await _round(folder / f"round-{number}", made if number < rounds or not HERE else {}, chance, found)
        number += 1
    if HERE and seconds:
        await _breed(folder / "bred", made, began + seconds - time.monotonic(), seed, found)
    return found


async def _round(folder: Path, made: Mapping[str, Target], chance: Random, found: Found) -> None:
    for name, target in made.items():
        await asyncio.to_thread(_take, name, target, [mangled(chance, target.seeds) for _ in range(50)], found)
    for proxy in (False, True):
        sent, faults = await send_mangled(folder / f"forms-{proxy}", chance, rounds=1, proxy=proxy)
        found.tried += sent
        for fault in faults:
            found.fault(fault)


async def _breed(folder: Path, made: Mapping[str, Target], seconds: float, seed: int, found: Found) -> None:
    """Each target in its turn, as many at once as there are cores."""
    cores = os.cpu_count() or 1
    weights = {name: _SENDERS if name.startswith("sender ") else 1.0 for name in made}
    free = asyncio.Semaphore(cores)

    async def one(name: str) -> None:
        share = max(1, int(seconds * cores * weights[name] / sum(weights.values())))
        async with free:
            place = folder / str(list(made).index(name))
            bred = await breed(place, name, made[name].seeds, Limits(seconds=share), seed=seed)
        found.tried += bred.tried
        if bred.fault:
            found.fault(bred.fault)

    async with asyncio.TaskGroup() as group:
        for name in sorted(made, key=weights.__getitem__, reverse=True):
            group.create_task(one(name))


def _take(name: str, target: Target, inputs: Sequence[bytes], found: Found) -> None:
    for data in inputs:
        found.tried += 1
        try:
            target.take(data)
        except Exception as error:  # whatever it is, it should not have come out
            found.fault(f"{name}: {type(error).__name__} {error} for {data[:300]!r}")
