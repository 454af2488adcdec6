"""Those who lie: an agent, a proxy, and a device between the two."""

import asyncio
import json
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import web.proxy.api
import web.proxy.intake
from store.remote_errors import Refused, RemoteError
from tests.chaos.found import Found
from tests.chaos.ledger import traffic
from tests.chaos.middlebox import Exchange, passed
from tests.chaos.scene import AgentHouse, Scene, scene, until
from tests.web.proxy.kit import MACHINE, Forger, Puller
from touchpoints.pull.body import encode
from touchpoints.pull.call import Ready
from touchpoints.pull.declaration import Declaration
from touchpoints.pull.key import new_signing_key
from touchpoints.pull.packed import Packed, pack
from touchpoints.pull.proof import PROOF, sign_answer
from web.proxy.calls import CALLS


async def agent(folder: Path, *, calls: int = 150, seed: int = 1) -> Found:
    """Another organisation's agent signs whatever it likes, while senders post: it learns and moves nothing of ours.

    Nor does a second agent of ours that has no lease move what the holder's epoch stands for, nor one that paired by a leaked
    code and that nobody approved: it is not ready, whatever it says.
    """
    chance = random.Random(seed)
    async with scene(folder) as made:
        one = await made.settle("one")
        two = await made.another("two", one)
        pairing = one.agent.proxy.path.pairing
        assert pairing is not None
        await asyncio.sleep(1.1)  # so often may one address pair
        evil = await made.site.tenant("evil")
        forger = Forger(made.site, evil)
        await forger.meet()
        found = Found()
        async with traffic(made.sender(one), pause=0.02):
            for _ in range(calls):
                lie = _lie(chance, pairing.agent_id, pairing.organisation)
                found.must(await _harmless(made, forger, chance, lie, pairing.agent_id), "a lie was answered with what is ours")
            await _claim(made, evil, found)
            await _claim_ours(made, one, two, found)
            await _claim_ready(made, found)
        found.add(await made.ledger.judge(waiting=made.waiting))
        found.must(one.state == "connected", f"our agent is {one.state}")
        found.notes.append(f"{calls} lies")
        return found


def _lie(chance: random.Random, agent_id: str, organisation: int) -> bytes:
    """A body of one kind or another."""
    if chance.random() < 0.2:
        return chance.randbytes(chance.randrange(200))
    huge: object = chance.choice((0, 1, -1, 2**31, 2**53, 2**62, 2**63 - 1, 2**63, 2**200, 1e308, "1", None, [], True))
    some: object = chance.choice((agent_id, "../../etc/passwd", "\x00", "x" * 70_000, "", "none", 7, {}, organisation))
    numbers = ("epoch", "after", "seen", "to", "limit", "max_bytes", "settled", "id")
    fields = {key: chance.choice((huge, some)) for key in numbers}
    fields |= {"incarnation": some, "agent_id": agent_id, "wrapped_key": "AAAA", "wait": 0, "touchpoints": some, "status": huge}
    return json.dumps({key: fields[key] for key in chance.sample(sorted(fields), chance.randrange(len(fields)))}).encode()


async def _harmless(made: Scene, forger: Forger, chance: random.Random, body: bytes, agent_id: str) -> bool:
    method, raw = chance.choice([key for key in CALLS if key[1] != b"/v1/leave"])
    path = raw.decode()
    count = chance.choice((None, None, None, 1, 2**63 - 1))
    headers = forger.signed(method, path, body, count=count)
    answers = [await forger.send(method, path, body, headers)]
    if chance.random() < 0.3:
        answers.append(await forger.send(method, path, body, headers))  # word for word again
        if answers[1].status_code != 401:
            return False
    forger.challenge = answers[0].headers.get("hookport-challenge", forger.challenge)
    return all(one.status_code < 500 and agent_id.encode() not in one.content and b"acme" not in one.content for one in answers)


async def _claim(made: Scene, evil: Puller, found: Found) -> None:
    """Ends of the numbers, of its own lane: it harms itself alone."""
    del made
    with suppress(RemoteError):
        batch = await evil.pull(seen=2**62, epoch=evil.epoch)
        found.must(not batch.messages, "it was given an event")
        answer = await evil.remote.acknowledge(evil.incarnation, evil.epoch, to=2**62)
        found.must(answer.position < 2**41, "it moved its position beyond everything")


async def _claim_ours(made: Scene, one: AgentHouse, two: AgentHouse, found: Found) -> None:
    """Our standby says that it stored what the holder is to store."""
    remote, pairing = two.agent.proxy.path.remote, one.agent.proxy.path.pairing
    queue = made.site.role.hub.queue()
    assert remote is not None
    assert pairing is not None
    assert queue is not None
    lease = await queue.lease_of(pairing.organisation, now=made.clock.steady())
    for epoch in (lease.epoch, lease.epoch + 1):
        answer = await remote.acknowledge(lease.incarnation, epoch, to=lease.next_seq + 1000)
        found.must(not answer.accepted, "who holds no lease acknowledged")
    await remote.release(lease.epoch)
    found.must((await queue.lease_of(pairing.organisation, now=made.clock.steady())).agent == lease.agent, "it ended our lease")


async def _claim_ready(made: Scene, found: Found) -> None:
    """Who paired by a leaked code says that it is ready, and tries what only who is ready may."""
    thief = await made.site.join((await made.site.role.control.code("acme", replaces="", actor=MACHINE)).text, name="thief")
    for secret in (os.urandom(32), bytes(32), (await thief.remote.key()).challenge[-32:]):
        with suppress(RemoteError):
            await thief.remote._session.call("POST", "/v1/ready", encode(Ready(secret=secret)))
        for deed in (thief.remote.declare(Declaration()), thief.remote.seek(0), thief.remote.release(1)):
            refused = False
            try:
                await deed
            except Refused as error:
                refused = error.code == "agent_waits"
            found.must(refused, "an agent that nobody approved did something")
        batch = await thief.pull(wait=0.2)
        found.must(not (batch.epoch or batch.messages or batch.asks), "an agent that nobody approved was given something")
    found.must((await thief.remote.key()).state == "waiting", "an agent that nobody approved is ready")
    await thief.remote.leave()


@contextmanager
def _instead(module: Any, name: str, other: Any) -> Iterator[None]:
    kept = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, kept)


async def proxy(folder: Path, *, each: int = 3) -> Found:
    """It changes events: the provider's signature tells. It gives one in another's place, or all again: each runs once."""
    async with scene(folder) as made:
        house = await made.settle()
        sender = made.sender(house)
        found = Found()
        lies: dict[str, Callable[[Packed], bytes]] = {
            "body": lambda packed: pack(replace(packed, body=packed.body.replace(b'"n": ', b'"n":  '))),
            "signature": lambda packed: pack(replace(packed, headers=_without(packed, b"x-hub-signature-256"))),
            "another's id": lambda packed: pack(replace(packed, event_id="0" * 26)),
            "another touchpoint": lambda packed: pack(replace(packed, touchpoint="elsewhere")),
            "not a request": lambda _packed: os.urandom(60),
        }
        before = len(await house.events())
        for name, lie in lies.items():
            with _instead(web.proxy.intake, "pack", lie):
                changed = await sender.insist(each)
            made.ledger.accepted -= set(changed)
            await made.pulled(house)
            await sender.insist(1)
            await made.ledger.arrived(seconds=10)
            found.must(not set(changed) & made.ledger.runs.keys(), f"a changed event ran: {name}")
        kept = await house.events()
        refused = sum(verdict == "refused" for verdict in kept.values())
        found.must(refused == each * len(lies), f"{refused} events are kept refused, of {each * len(lies)}")
        found.must(len(kept) == before + (each + 1) * len(lies), "something was not kept")
        found.add(await _twice(made, house))
        found.add(await _another_key(made, house))
        found.add(await made.ledger.judge(waiting=made.waiting))
        found.tried += refused
        found.notes.append(f"{refused} changed events refused")
        return found


def _without(packed: Packed, name: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(pair for pair in packed.headers if pair[0] != name)


async def _twice(made: Scene, house: AgentHouse) -> Found:
    """Everything is given again, under new numbers and the same ids."""
    queue, pairing = made.site.role.hub.queue(), house.agent.proxy.path.pairing
    assert queue is not None
    assert pairing is not None
    count = await queue.seek(pairing.organisation, to=0, now=made.clock.now())
    made.site.role.hub.bells.ring(pairing.organisation)
    await made.pulled(house)
    found = Found()
    found.must(count > 0, "nothing was given again")
    return found


async def _another_key(made: Scene, house: AgentHouse) -> Found:
    """It signs its answers by another key than the one of the pairing."""
    sign, other = sign_answer, new_signing_key(os.urandom)

    def signed(_key: bytes, **fields: Any) -> str:
        return sign(other, **fields)

    found = Found()
    with _instead(web.proxy.api, "sign_answer", signed):
        numbers = await made.sender(house).insist(2)
        await _noticed(house, found, "another key")
        found.must(not set(numbers) & made.ledger.runs.keys(), "it took events from a stranger")
    return found


async def _noticed(house: AgentHouse, found: Found, what: str) -> None:
    """That a person would be told."""
    with suppress(AssertionError):
        await until(lambda: _code(house) == "proxy_tampered", seconds=8)
    found.must(_code(house) == "proxy_tampered", f"{what}: {house.agent.proxy.path.problem}")


def _code(house: AgentHouse) -> str:
    problem = house.agent.proxy.path.problem
    return problem.code if problem else ""


async def middlebox(folder: Path, *, rounds: int = 2, seed: int = 1) -> Found:
    """A device changes, forges and repeats answers: each is noticed, and nothing of it is used."""
    chance = random.Random(seed)
    async with scene(folder) as made:
        house = await made.settle()
        sender = made.sender(house)
        found = Found()
        old: list[bytes] = []

        async def keep(exchange: Exchange) -> None:
            answer = await exchange.forward()
            if exchange.path == "/v1/pull":
                old.append(answer)
            await exchange.give(answer)

        made.box.set(keep)
        made.box.hang_up()
        await sender.insist(4)
        await made.ledger.arrived()
        forgeries = _forgeries(chance, old)
        for name in sorted(forgeries) * rounds:
            made.box.set(_answering(forgeries[name]))
            made.box.hang_up()
            numbers = await sender.insist(2)
            await _noticed(house, found, name)
            found.must(not set(numbers) & made.ledger.runs.keys(), f"{name}: an event ran")
            made.box.set()
            await made.ledger.arrived()
            await until(lambda: house.state == "connected")
        found.add(await made.ledger.judge(waiting=made.waiting))
        found.notes.append(f"{len(forgeries) * rounds} forgeries noticed")
        return found


def _forgeries(chance: random.Random, old: list[bytes]) -> dict[str, Callable[[bytes], bytes]]:
    def flipped(answer: bytes) -> bytes:
        head, _, body = answer.partition(b"\r\n\r\n")
        place = chance.randrange(len(body))
        return head + b"\r\n\r\n" + body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]

    def no_proof(answer: bytes) -> bytes:
        return answer.replace(PROOF.encode(), b"x-nothing")

    def proof_of_another(answer: bytes) -> bytes:
        mark = PROOF.encode() + b": "
        start = answer.index(mark) + len(mark)
        return answer[:start] + chance.choice(b"ABCDEFGH").to_bytes(1, "big") + answer[start + 1 :]

    return {
        "one bit": flipped,
        "no proof": no_proof,
        "a letter of the proof": proof_of_another,
        "an old answer": lambda _answer: chance.choice(old),
        "another status": lambda answer: answer.replace(b" 200 ", b" 201 ", 1),
    }


def _answering(forge: Callable[[bytes], bytes]) -> Callable[[Exchange], Awaitable[None]]:
    async def forged(exchange: Exchange) -> None:
        if exchange.path == "/v1/pull":
            await exchange.give(forge(await exchange.forward()))
        else:
            await passed(exchange)

    return forged
