"""A power failure: what the real program wrote and had not fsynced is lost, whole, in part, or torn in the middle of a page."""

import asyncio
import platform
import random
import shutil
import subprocess
import sys
from pathlib import Path

from tests.chaos.executables import PATIENCE, Program, answers, both_of, until
from tests.chaos.found import Found
from tests.chaos.ledger import Sender
from tests.verify.case import LeftOutError

LIVES = (2, 900)  # writes until the power fails: some fall into a start, some into a checkpoint
LONGEST = 20.0  # seconds that a machine stays on when it writes too little


async def power(folder: Path, *, cuts: int, seed: int = 1) -> Found:
    """So many power failures of one machine or the other, while senders post. What was answered 2xx runs."""
    made = await asyncio.to_thread(library, folder)
    chance = random.Random(seed)
    failed = 0
    async with both_of(folder) as (both, client):
        senders = [Sender(both.ledger, lambda url=url: url, client) for url in (both.url, both.own_url)]  # type: ignore[misc]
        posting = [asyncio.ensure_future(one.keep_posting(pause=0.004)) for one in senders]
        try:
            for _ in range(cuts):
                victim = chance.choice((both.proxy, both.agent))
                failed += await _cut(victim, made, chance)
            await until(lambda: answers(client, both.url))
            await until(lambda: answers(client, both.own_url))
        finally:
            for task in posting:
                task.cancel()
            await asyncio.gather(*posting, return_exceptions=True)
        found = await both.ledger.judge(excused=True, seconds=PATIENCE)
        found.must(failed > cuts // 3, f"the power failed only {failed} times")
        found.notes.append(f"{failed} power failures, {sum(both.ledger.refused.values())} not answered or refused meanwhile")
        return found


async def _cut(victim: Program, made: Path, chance: random.Random) -> bool:
    """Start it on a machine whose power fails after some writes, then on a good one; whether the power failed."""
    await victim.kill()
    victim.environment = {
        "LD_PRELOAD": str(made),
        "HOOKPORT_POWER_FOLDER": str(victim.folder),
        "HOOKPORT_POWER_AFTER": str(chance.randint(*LIVES)),
        "HOOKPORT_POWER_SEED": str(chance.randint(1, 1 << 30)),
    }
    await victim.start()
    failed = await victim.ended(seconds=LONGEST)
    victim.environment = {}
    if not failed:
        await victim.kill()
    for shared in victim.folder.glob("*.db-shm"):  # memory, which no power failure leaves
        shared.unlink()
    await victim.start()
    return failed


def library(folder: Path) -> Path:
    """Compile it. Raises LeftOutError where that cannot be."""
    compiler = shutil.which("cc")
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc" or compiler is None:
        raise LeftOutError("losing writes takes Linux with glibc and a C compiler")
    made = folder / "powerless.so"
    source = Path(__file__).with_name("powerless.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(made), str(source), "-ldl", "-lpthread"], check=True)
    return made
