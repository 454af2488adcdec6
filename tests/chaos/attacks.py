"""Attacks by machines, for as long as one likes: calls as the APIs describe them, and mangled bytes at all that reads them."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.attack.described import examine
from tests.attack.forms import send_mangled
from tests.attack.mangle import mangled
from tests.attack.targets import Target, targets
from tests.chaos.found import Found


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
    """Mangled bytes and forms, `rounds` of them, and on until `seconds` have passed; `tried` counts inputs."""
    found, chance, all_targets = Found(), Random(seed), targets()
    until = time.monotonic() + seconds
    number = 0
    while number < rounds or time.monotonic() < until:
        number += 1
        for name, target in all_targets.items():
            for _ in range(50):
                _take(name, target, mangled(chance, target.seeds), found)
        for proxy in (False, True):
            sent, faults = await send_mangled(folder / f"forms-{number}-{proxy}", chance, rounds=1, proxy=proxy)
            found.tried += sent
            for fault in faults:
                found.fault(fault)
    return found


def _take(name: str, target: Target, data: bytes, found: Found) -> None:
    found.tried += 1
    try:
        target.take(data)
    except Exception as error:  # whatever it is, it should not have come out
        found.fault(f"{name}: {type(error).__name__} {error} for {data[:300]!r}")
