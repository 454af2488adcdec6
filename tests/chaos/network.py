"""The network between agent and proxy: cut, halved, doubled, delayed, silent; and answers that come after the lease moved."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.found import Found
from tests.chaos.ledger import traffic
from tests.chaos.middlebox import Cut, Exchange, Fault, open_middlebox, passed
from tests.chaos.scene import Hours, Scene, scene, until
from touchpoints.moment import HOUR

MOST = 60  # exchanges of a round: there are fewer


async def _before(exchange: Exchange) -> None:
    raise Cut


async def _after(exchange: Exchange) -> None:
    await exchange.forward()
    raise Cut


async def _half_request(exchange: Exchange) -> None:
    await exchange.half_a_request()
    raise Cut


async def _half_answer(exchange: Exchange) -> None:
    answer = await exchange.forward()
    await exchange.give(answer[: len(answer) // 2])
    raise Cut


async def _one_byte_short(exchange: Exchange) -> None:
    await exchange.give((await exchange.forward())[:-1])
    raise Cut


async def _doubled(exchange: Exchange) -> None:
    first, _ = await asyncio.gather(exchange.forward(), exchange.forward())
    await exchange.give(first)


async def _sent_again(exchange: Exchange) -> None:
    answer = await exchange.forward()
    await exchange.forward()
    await exchange.give(answer)


async def _delayed(exchange: Exchange) -> None:
    answer = await exchange.forward()
    await asyncio.sleep(0.3)
    await exchange.give(answer)


async def _late_after_all(exchange: Exchange) -> None:
    """The connection ends; the request reaches the proxy afterwards."""
    exchange.forward_later(0.15)
    raise Cut


async def _gateway(exchange: Exchange) -> None:
    await exchange.give(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")


FAULTS: dict[str, Fault] = {
    "cut before": _before,
    "answer lost": _after,
    "half a request": _half_request,
    "half an answer": _half_answer,
    "one byte short": _one_byte_short,
    "doubled": _doubled,
    "sent again": _sent_again,
    "delayed": _delayed,
    "late after all": _late_after_all,
    "bad gateway": _gateway,
}


async def exchanges(folder: Path, *, stride: int = 1, each: int = 2) -> Found:
    """Each fault at the 1st, 2nd, 3rd … exchange, until a run has fewer."""
    found = Found()
    async with scene(folder) as made:
        house = await made.settle()
        sender = made.sender(house)
        for name, fault in FAULTS.items():
            for number in range(1, MOST, stride):
                struck = _at(made, fault, number)
                await sender.insist(each)
                whole = await made.ledger.arrived(seconds=15)
                if not whole:
                    found.notes.append(f"{name} at {number}: {sorted(made.ledger.missing)}")
                if not struck():
                    break
            made.box.set()
        found.add(await made.ledger.judge(waiting=made.waiting))
        found.notes.append(f"{len(made.box.seen)} exchanges")
        return found


def _at(made: Scene, fault: Fault, number: int) -> Callable[[], bool]:
    """Let a fault strike one exchange; the waiting pull is the first. Gives what tells whether it came to that."""
    done: list[int] = []

    async def once(exchange: Exchange) -> None:
        if exchange.number == number:
            done.append(number)
            await fault(exchange)
        else:
            await passed(exchange)

    made.box.set(once)
    made.box.hang_up()
    return lambda: bool(done)


async def bad_line(folder: Path, *, seconds: float = 3.0, seed: int = 1) -> Found:
    """Every third exchange or so goes wrong in one way or another, while senders post."""
    chance = random.Random(seed)
    async with scene(folder) as made:
        house = await made.settle()

        async def line(exchange: Exchange) -> None:
            fault = chance.choice(tuple(FAULTS.values())) if chance.random() < 0.35 else passed
            await fault(exchange)

        made.box.set(line)
        deadline = time.monotonic() + seconds
        async with traffic(made.sender(house), made.sender(house)):
            while time.monotonic() < deadline:
                await asyncio.sleep(0.05)
        made.box.set()
        found = await made.ledger.judge(waiting=made.waiting)
        found.notes.append(f"{len(made.box.seen)} exchanges")
        return found


async def half_open(folder: Path) -> Found:
    """A connection that is dead without a word, while a pull waits: noticed within 60 s."""
    async with scene(folder) as made:
        house = await made.settle()
        hours = Hours(made.clock, house.clock)
        await made.sender(house).insist(1)
        await made.ledger.arrived()
        dead = made.box.deafen()
        await made.sender(house).insist(3)
        passed_by = await hours.forward(90, until=lambda: not made.ledger.missing)
        found = await made.ledger.judge(waiting=made.waiting)
        found.must(dead, "no pull was waiting")
        found.must(passed_by <= 60, f"it took {passed_by:.0f} s")
        found.notes.append(f"noticed after {passed_by:.0f} s")
        return found


async def idle_timeout(folder: Path, *, idle: float, turns: int) -> Found:
    """A device that forgets connections after so many quiet seconds: pulls learn to be shorter, and nothing is lost."""
    async with scene(folder) as made:
        house = await made.settle()
        hours = Hours(made.clock, house.clock)
        sender = made.sender(house)
        made.box.idle = idle
        cuts = 0
        for _ in range(turns):
            before = made.box.forgotten
            await hours.forward(40)
            cuts = made.box.forgotten - before
            await sender.insist(1)
            await hours.forward(20, until=lambda: not made.ledger.missing)
        found = await made.ledger.judge(waiting=made.waiting)
        found.must(not cuts, "its pulls are still cut")
        found.must(idle < 25 or not made.box.forgotten, "a pull waits longer than a middlebox may bear")
        found.notes.append(f"{made.box.forgotten} cuts")
        return found


async def asleep(folder: Path) -> Found:
    """A laptop sleeps for an hour: its connections are gone, its wall clock jumped; it pulls again at once."""
    async with scene(folder) as made:
        house = await made.settle()
        made.box.deafen()
        await made.sender(house).insist(3)
        began = time.monotonic()
        house.clock.wall += HOUR
        made.clock.wall += HOUR
        await made.ledger.arrived(seconds=15)
        took = time.monotonic() - began
        found = await made.ledger.judge(waiting=made.waiting)
        found.must(took < 10, f"it took {took:.0f} s to look again")
        return found


async def clocks_apart(folder: Path, *, hours: int = 1) -> Found:
    """Agent's and proxy's clocks are hours apart, either way, or days: nothing is refused, nothing waits, leases hold."""
    found = Found()
    for name, ahead in (("ahead", hours), ("behind", -hours), ("days", -100)):
        async with scene(folder / name) as made:
            house = made.house("one")
            house.clock.wall = ahead * HOUR
            await house.start()
            await house.mode("proxy")
            await house.join(await made.site.organisation("acme"))
            await house.declared()
            await made.sender(house).insist(5)
            await house.stop()
            await made.sender(house).insist(5)
            await house.start()
            found.add(await made.ledger.judge(waiting=made.waiting))
            kept = await house.events()
            found.must(set(kept.values()) == {"accepted"}, "an event was refused for its age")
            found.must(house.state == "connected", house.state)
    return found


async def lease_moves(folder: Path, *, path: str, rounds: int = 1) -> Found:
    """Answers to acknowledgements, or to pulls, are lost and the lease moves meanwhile: no event to two agents.

    The first agent runs on all the time; it hears nothing for longer than its lease lasts. `path`: whose answers are lost;
    empty: it is cut off altogether.
    """
    found = Found()
    for turn in range(rounds):
        async with scene(folder / f"{turn}") as made:
            found.add(await _lease_moves(made, path, turn))
    return found


def _losing(path: str) -> Fault:
    """The first answer from there is lost."""
    left = [path]

    async def losing(exchange: Exchange) -> None:
        answer = await exchange.forward()
        if exchange.path in left:
            left.clear()
            raise Cut
        await exchange.give(answer)

    return losing


async def _lease_moves(made: Scene, path: str, events: int) -> Found:
    one = await made.settle("one")
    async with open_middlebox(made.port) as apart:
        two = await made.another("two", one, box=apart)
        sender = made.sender(one)
        await sender.insist(2)
        await made.ledger.arrived()
        silent = False

        async def lossy(exchange: Exchange) -> None:
            answer = b"" if silent else await exchange.forward()
            if silent or exchange.path == path:
                raise Cut
            await exchange.give(answer)

        made.box.set(lossy if path else _before)
        made.box.hang_up()
        await sender.insist(3 + events)
        await asyncio.sleep(0.2)
        silent = True
        hours = Hours(made.clock, one.clock, two.clock)
        took = await hours.forward(120, until=lambda: two.state == "connected")
        await sender.insist(3)
        made.box.set(_losing("/v1/acknowledge"))  # also the answer that tells that the lease has moved
        await hours.forward(60, until=lambda: one.state == "standby")
        found = await made.ledger.judge(waiting=made.waiting)
        both = (await one.events()).keys() & (await two.events()).keys()
        found.must(not both, f"{len(both)} events came to two agents")
        found.must(took <= 61, f"the other took over after {took:.0f} s")
        found.must((one.state, two.state) == ("standby", "connected"), f"{one.state} and {two.state}")
        await two.stop()
        await until(lambda: one.state == "connected")
        return found
