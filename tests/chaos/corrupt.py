"""A data folder that was damaged at a random place: it starts, or says in words why not; what it delivers is what was sent, and
what is gone is told."""

import shutil
from collections import Counter
from pathlib import Path

from tests.chaos.damage import Damage
from tests.chaos.damaged_agent import DamagedAgent, damaged_agent
from tests.chaos.damaged_proxy import DamagedProxy, damaged_proxy
from tests.chaos.found import Found


async def corrupt(folder: Path, *, places: int = 100, seed: int = 1) -> Found:
    """In so many places, one after the other: of the agent's folder and the proxy's, each as a crash leaves it and closed
    cleanly. Each trial begins with the folder as it was."""
    found, came_to = Found(), Counter[str]()
    async with damaged_agent(folder) as agent, damaged_proxy(folder) as proxy:
        whose: list[tuple[DamagedAgent | DamagedProxy, Path]] = [(agent, kept) for kept in agent.folders]
        whose += [(proxy, kept) for kept in proxy.folders]
        for number in range(places):
            damaged, kept = whose[number % len(whose)]
            damage, place = Damage(seed * 1_000_000 + number), folder / f"{number}" / kept.name
            shutil.copytree(kept, place)
            damage.do(place, damaged.files)
            try:
                came_to[f"{kept.name} {await damaged.held(place)}"] += 1
            except Exception as error:  # the next place is tried all the same
                found.fault(f"{damage.told}: {type(error).__name__}: {error}")
            shutil.rmtree(place.parent)
            found.tried += 1
    found.notes.append(", ".join(f"{count} {name}" for name, count in sorted(came_to.items())))
    return found
