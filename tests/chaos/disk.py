"""A disk that is full, of the proxy or of the agent: nothing is promised that is not on it, and all goes on by itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import appliance.proxy.server
from tests.chaos.found import Found
from tests.chaos.scene import Scene, scene, until
from tests.verify.case import LeftOutError
from tests.whole.test_storage_trouble import MIB, _fill


@contextmanager
def small_disk(place: Path, size: int = 24) -> Iterator[None]:
    """A file system of so many MiB there. Raises LeftOutError where that cannot be had."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise LeftOutError("mounting a small file system takes root on Linux")
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=700", "tmpfs", str(place)]
    if subprocess.run(command, check=False).returncode:
        raise LeftOutError("this machine does not let us mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


async def proxy(folder: Path, *, floor: int = 0) -> Found:
    """The proxy's disk fills while senders post: 503 from then on; with room again everything comes in, and arrives."""
    kept, appliance.proxy.server.FREE_DISK = appliance.proxy.server.FREE_DISK, floor * MIB
    try:
        with small_disk(folder / "proxy"):
            async with scene(folder) as made:
                return await _filled(made, folder / "proxy", agent_off=True)
    finally:
        appliance.proxy.server.FREE_DISK = kept


async def agent(folder: Path) -> Found:
    """The agent's disk fills: it keeps the lease and takes nothing; with room again everything arrives."""
    with small_disk(folder / "one"):
        async with scene(folder) as made:
            return await _filled(made, folder / "one", agent_off=False)


async def _filled(made: Scene, place: Path, *, agent_off: bool) -> Found:
    house = await made.settle()
    sender = made.sender(house)
    await sender.insist(20)
    await made.ledger.arrived()
    if agent_off:
        await house.stop()
    filler = _fill(place)
    for _ in range(300 if agent_off else 10):
        await sender.post(4)
        if made.ledger.refused[503] >= 8:
            break
    refused = made.ledger.refused[503]
    if agent_off:
        await house.start()
        await sender.post(4)
    else:
        await until(lambda: house.state in ("paused", "down"))
    filler.unlink()
    await sender.insist(6, pause=0.2)
    found = await made.ledger.judge(waiting=made.waiting)
    found.must(refused or not agent_off, "a full disk was never met")
    found.notes.append(f"{refused} answered 503")
    return found
