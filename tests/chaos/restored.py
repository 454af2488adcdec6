"""Folders put back from an older backup, the proxy's and the agent's: what is lost is stated; nothing runs twice unsaid."""

import asyncio
import shutil
from pathlib import Path

from appliance.backup.of_proxy import ProxyRestore
from appliance.backup.restore import Wanted, restore
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from tests.chaos.found import Found
from tests.chaos.middlebox import Cut, Exchange, passed
from tests.chaos.scene import AgentHouse, Scene, scene, until
from tests.web.proxy.kit import MACHINE


def back_up(folder: Path) -> Path:
    """A copy of a stopped role's folder."""
    copy = folder.with_name(f"{folder.name}.backup")
    shutil.rmtree(copy, ignore_errors=True)
    return Path(shutil.copytree(folder, copy))


def put_back(folder: Path) -> None:
    """The copy instead of the folder."""
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name(f"{folder.name}.backup"), folder)


async def restore_proxy(folder: Path, archive: str) -> None:
    """Put a backup back as `hookport proxy restore` does."""
    wanted = Wanted(archive=Path(archive))
    await restore(DataFolder(path=folder), wanted, ProxyRestore(), environment={}, clock=Clock(), told=lambda _n: None)


async def proxy_back(
    folder: Path,
    *,
    pulled: int = 6,
    unpulled: int = 0,
    after: int = 0,
    docked: int = 0,
    running: bool = False,
    by_command: bool = False,
) -> Found:
    """The proxy's whole folder is an older one.

    - `by_command`: a backup made of the running proxy, put back as a command does; else a copy of its stopped folder;
    - `pulled`: events between backup and loss that the agent executed; `unpulled`: that nobody pulled, which are lost;
    - `docked`: that it stored without hearing whether they were accepted;
    - `after`: that senders post after the restore before the agent asks again; `running`: which was never stopped.
    """
    found = Found()
    async with scene(folder) as made:
        house = await made.settle()
        sender = made.sender(house)
        await sender.insist(4)
        await made.ledger.arrived()
        archive = ""
        if by_command:
            archive = (await made.site.role._safekeeping.make(actor=MACHINE))["file"]
        else:
            await made.stop()
            back_up(folder / "proxy")
            await made.start()
        await sender.insist(pulled)
        await made.ledger.arrived()
        before = await _standing(made, house)
        if docked:
            await _dock(made, house, docked)
        if not running:
            await house.stop()
        await _shut(made)
        lost = set(await sender.insist(unpulled))
        await made.stop()

        if by_command:
            await restore_proxy(folder / "proxy", archive)
        else:
            put_back(folder / "proxy")
        await made.start()
        await sender.insist(after)
        made.box.set()
        if not running:
            await house.start()
        await until(lambda: house.state == "connected")
        await sender.insist(3)
        made.ledger.accepted -= lost
        found.add(await made.ledger.judge(waiting=made.waiting, seconds=10))
        now = await _standing(made, house)
        found.must(now[0] != before[0], "the proxy goes on under the same incarnation")
        found.must(now[1] > before[1], "an epoch is used again")
        found.must(house.agent.proxy.standing().gap, "no gap is stated")
        return found


async def _shut(made: Scene) -> None:
    """Nothing comes through between agent and proxy."""

    async def cut(_exchange: Exchange) -> None:
        raise Cut

    made.box.set(cut)
    made.box.hang_up()


async def _standing(made: Scene, house: AgentHouse) -> tuple[str, int]:
    """Incarnation and epoch of the lane."""
    pairing = house.agent.proxy.path.pairing
    queue = made.site.role.hub.queue()
    assert pairing is not None
    assert queue is not None
    lease = await queue.lease_of(pairing.organisation, now=made.clock.steady())
    return lease.incarnation, lease.epoch


async def _dock(made: Scene, house: AgentHouse, count: int) -> None:
    """Events that the agent stored and acknowledged, all in one batch, and whose answers it never gets."""
    posted = False

    async def answers_lost(exchange: Exchange) -> None:
        if exchange.path == "/v1/acknowledge":
            await exchange.forward()
        if exchange.path == "/v1/acknowledge" or not posted:
            raise Cut
        await passed(exchange)

    made.box.set(answers_lost)
    await asyncio.sleep(0.05)
    made.box.hang_up()
    await made.sender(house).insist(count)
    posted = True
    async with asyncio.timeout(10):
        while await house.docked() < count:
            await asyncio.sleep(0.01)


async def agent_back(folder: Path, *, events: int = 5) -> Found:
    """The agent's whole folder is an older one: it says what it lacks; seeking back brings that, and nothing else twice."""
    found = Found()
    async with scene(folder) as made:
        house = await made.settle()
        sender = made.sender(house)
        first = await sender.insist(3)
        await made.ledger.arrived()
        await house.stop()
        back_up(house.folder)
        await house.start()
        await until(lambda: house.state == "connected")
        between = await sender.insist(events)
        await made.ledger.arrived()
        await house.stop()

        put_back(house.folder)
        await house.start()
        await until(lambda: house.state == "connected")
        later = await sender.insist(2)
        found.add(await made.ledger.judge(waiting=made.waiting, seconds=10))
        await house.agent.proxy.look()
        behind = house.agent.proxy.standing().behind
        found.must(behind is not None, "it does not say that it was restored")
        if behind is not None:
            await house.agent.proxy.seek(behind[0], actor="test")
            await until(lambda: all(len(made.ledger.runs[number]) == 2 for number in between), seconds=10)
        for number in (*first, *later):
            found.must(len(made.ledger.runs[number]) == 1, f"event {number}, which it had, ran again")
        found.repeated = len(between)  # what a person asked for
        return found


async def both_back(folder: Path) -> Found:
    """Both folders are of the same older moment: what came since is gone, and what comes now runs once."""
    found = Found()
    async with scene(folder) as made:
        house = await made.settle()
        sender = made.sender(house)
        await sender.insist(3)
        await made.ledger.arrived()
        await house.stop()
        await made.stop()
        back_up(folder / "proxy")
        back_up(house.folder)
        await made.start()
        await house.start()
        await until(lambda: house.state == "connected")
        await sender.insist(5)
        await made.ledger.arrived()
        await house.stop()
        await made.stop()
        put_back(folder / "proxy")
        put_back(house.folder)
        await made.start()
        await house.start()
        await until(lambda: house.state == "connected")
        await sender.insist(5)
        found.add(await made.ledger.judge(waiting=made.waiting, seconds=10))
        return found
