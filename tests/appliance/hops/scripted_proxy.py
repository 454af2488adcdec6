"""A hosted proxy in memory, with real seals and signatures, that does to its answers what networks and strangers do."""

import asyncio
import copy
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from store.pairing import Pairing
from tests.store.make import NOW
from touchpoints.event import Headers
from touchpoints.problem import Problem
from touchpoints.pull.body import decode, encode, encode_problem
from touchpoints.pull.call import Acknowledge, Approve, Declared, Done, KeyAnswer, Ready, Release, Renew, State, StateAgent
from touchpoints.pull.declaration import Declaration, declaration_digest
from touchpoints.pull.frames import FRAMES, encode_batch
from touchpoints.pull.key import exchange_public, signing_public
from touchpoints.pull.message import Acknowledged, Ask, Backlog, Batch, PullRequest, Reply, Sealed
from touchpoints.pull.packed import Packed, pack
from touchpoints.pull.proof import CHALLENGE, PROOF, Counts, check_renewal, check_request, read_proof, sign_answer
from touchpoints.pull.sealing import SealingKey, wrap_challenge

ORGANISATION = 7
PROXY_KEY = bytes(range(32))
ORGANISATION_KEY = bytes(range(50, 82))
OPENED = bytes(range(90, 122))  # what a challenge holds
Fault = Callable[[httpx.Request, Callable[[], Awaitable[httpx.Response]]], Awaitable[httpx.Response]]


def signing_key(agent: str) -> bytes:
    return hashlib.sha256(agent.encode()).digest()


def pairing(agent: str = "one", **fields: Any) -> Pairing:
    values: dict[str, Any] = {
        "id": "7@proxy",
        "url": "https://proxy.test",
        "organisation": ORGANISATION,
        "domain": "acme",
        "wildcard": False,
        "agent_id": agent,
        "agent_name": f"agent {agent}",
        "signing_key": signing_key(agent),
        "exchange_key": signing_key(f"{agent} x"),
        "proxy_key": signing_public(PROXY_KEY),
        "sealing_key": exchange_public(ORGANISATION_KEY),
        "opening_key": ORGANISATION_KEY,
    }
    return Pairing(**(values | fields))


class _Pieces(httpx.AsyncByteStream):
    """An answer's bytes as a network brings them: `gate` is what they wait for, `broken` how they end."""

    def __init__(self, data: bytes, *, gate: asyncio.Event | None = None, broken: bool = False) -> None:
        self._data = data
        self._gate = gate
        self._broken = broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._gate is not None:
            await self._gate.wait()
        for start in range(0, len(self._data), 65536):
            yield self._data[start : start + 65536]
        if self._broken:
            raise httpx.ReadError("the line is gone")


class ScriptedProxy:
    """One organisation's lane. `fault` stands between agents and it; `requests` counts what came."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.requests: list[tuple[str, str]] = []  # agent, path
        self.pulls: list[PullRequest] = []
        self.messages: list[Sealed] = []
        self.asks: list[Ask] = []
        self.replies: list[Reply] = []
        self.next_seq = 1
        self.acknowledged = 0
        self.incarnation = "inc-1"
        self.epoch = 0
        self.holder = ""
        self.finals: dict[tuple[str, int], int] = {}
        self.accepted: dict[str, set[int]] = {}  # numbers each agent may run
        self.given: dict[int, list[int]] = {}  # epoch -> numbers that were given under it
        self.revoked: set[str] = set()
        self.declared = Declaration()
        self.limit = 256
        self.released: list[int] = []
        self.wrapped = b""
        self.refusing: dict[str, Problem] = {}  # by path, once
        self.ready: set[str] = set()  # who proved that it has the organisation's key
        self.approved: list[Approve] = []
        self.signing: dict[str, bytes] = {}  # renewed public keys
        self.rung = asyncio.Event()
        self._key = SealingKey("k1", bytes(32), organisation=ORGANISATION, prefix=b"abcd", now=0)
        self._challenges: dict[str, str] = {}
        self._counts: dict[str, Counts] = {}
        self._restarts = 0

    # ---- what senders, operators and other agents do ----

    def post(
        self, *numbers: int, body: bytes = b"{}", touchpoint: str = "orders", headers: Headers = (), **fields: Any
    ) -> None:
        for number in numbers:
            event_id = fields.get("id") or f"{number:026d}"
            self._queue(event_id, self.seal(event_id, body, touchpoint, headers))
        self.rung.set()

    def seal(self, event_id: str, body: bytes = b"{}", touchpoint: str = "orders", headers: Headers = ()) -> bytes:
        packed = Packed(
            event_id=event_id,
            touchpoint=touchpoint,
            method="POST",
            target=f"/acme/{touchpoint}/token?q=1",
            headers=headers,
            remote="203.0.113.9",
            received_at=NOW,
            body=body,
        )
        return self._key.seal(pack(packed), event_id=event_id)

    def post_sealed(self, event_id: str, data: bytes, *, key_id: str = "k1") -> None:
        self._queue(event_id, data, key_id)
        self.rung.set()

    def _queue(self, event_id: str, data: bytes, key_id: str = "k1") -> None:
        sealed = Sealed(
            seq=self.next_seq, id=event_id, received_at=NOW, key_id=key_id, digest=hashlib.sha256(data).digest(), data=data
        )
        self.messages.append(sealed)
        self.next_seq += 1

    def ask(self, event_id: str, body: bytes, headers: Headers = (), touchpoint: str = "orders") -> None:
        self.asks.append(Ask(id=event_id, key_id="k1", data=self.seal(event_id, body, touchpoint, headers), seconds=3.0))
        self.rung.set()

    def move_lease(self, to: str = "") -> None:
        """The lease ends, and another agent takes it, or nobody."""
        self.finals[self.incarnation, self.epoch] = self.acknowledged
        self.holder = to
        self.epoch += bool(to)
        self.rung.set()

    def restart(self) -> None:
        """Challenges are forgotten."""
        self._restarts += 1
        self._challenges.clear()

    def snapshot(self) -> dict[str, Any]:
        """A backup."""
        kept = ("messages", "next_seq", "acknowledged", "incarnation", "epoch", "holder", "finals")
        return {name: copy.copy(getattr(self, name)) for name in kept}

    def restore(self, backup: dict[str, Any]) -> None:
        for name, value in backup.items():
            setattr(self, name, copy.copy(value))
        self.holder = ""
        self.restart()

    # ---- the API ----

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._receive))

    async def _receive(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((request.headers.get("hookport-agent", ""), request.url.path))

        async def go() -> httpx.Response:
            return await self._answer(request)

        answer = await (self.fault(request, go) if self.fault else go())
        pieces = _Pieces(await answer.aread(), **answer.extensions)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=pieces)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        proof = read_proof({name.lower(): value for name, value in request.headers.items()})
        assert proof is not None
        agent, path = proof.agent, request.url.path
        keys = (signing_public(signing_key(agent)), self.signing.get(agent, b""))
        if not any(key and check_request(key, proof, method=request.method, path=path, body=body) for key in keys):
            return httpx.Response(401, content=encode_problem(Problem("agent_refused", "Who?", "")))
        challenge = self._challenges.setdefault(agent, f"c{self._restarts}-{agent}")
        if proof.challenge != challenge or not self._counts.setdefault(challenge, Counts()).use(proof.count):
            status, said = 401, encode_problem(Problem("challenge_unknown", "Sign again.", ""))
        elif agent in self.revoked:
            status, said = 403, encode_problem(Problem("agent_revoked", "It was revoked.", ""))
        elif path in self.refusing:
            status, said = 403, encode_problem(self.refusing.pop(path))
        else:
            status, said = 200, await self._call(agent, request.method, path, body)
        signed = sign_answer(PROXY_KEY, signature=proof.signature, status=status, body=said)
        return httpx.Response(status, content=said, headers={CHALLENGE: challenge, PROOF: signed, "content-type": FRAMES})

    async def _call(self, agent: str, method: str, path: str, body: bytes) -> bytes:  # noqa: C901, PLR0912 - a line for each call
        match method, path:
            case "POST", "/v1/pull":
                return encode_batch(await self._pull(agent, decode(PullRequest, body)))
            case "POST", "/v1/acknowledge":
                return encode(self._acknowledge(agent, decode(Acknowledge, body)))
            case "POST", "/v1/release":
                released = decode(Release, body).epoch
                self.released.append(released)
                if (agent, released) == (self.holder, self.epoch):
                    self.move_lease()
                return encode(Done())
            case "POST", "/v1/reply":
                self.replies.append(decode(Reply, body))
                return encode(Done())
            case "GET", "/v1/key":
                sealed = wrap_challenge(OPENED, exchange_public(ORGANISATION_KEY), organisation=ORGANISATION, agent=agent)
                state = "ready" if agent in self.ready else "waiting"
                return encode(KeyAnswer(state=state, wrapped_key=self.wrapped, challenge=sealed))
            case "POST", "/v1/ready":
                assert decode(Ready, body).secret == OPENED
                self.ready.add(agent)
                return encode(Done())
            case "POST", "/v1/approve":
                self.approved.append(decode(Approve, body))
                return encode(Done())
            case "POST", "/v1/renew":
                renewal = decode(Renew, body)
                old = self.signing.get(agent, signing_public(signing_key(agent)))
                assert check_renewal(renewal.new_key, renewal.proof, agent=agent, old_public=old)
                self.signing[agent] = renewal.new_key
                return encode(Done())
            case "PUT", "/v1/declaration":
                if agent == self.holder:
                    self.declared = decode(Declaration, body)
                return encode(Declared(digest=declaration_digest(self.declared), counts=agent == self.holder))
            case "GET", "/v1/declaration":
                return encode(self.declared)
            case "GET", "/v1/state":
                agents = tuple(
                    StateAgent(
                        id=one,
                        name=one,
                        state="ready",
                        signing_key=signing_public(signing_key(one)),
                        exchange_key=exchange_public(signing_key(f"{one} x")),
                    )
                    for one in {agent, *self.accepted}
                )
                return encode(
                    State(
                        organisation=ORGANISATION,
                        domain="acme",
                        incarnation=self.incarnation,
                        acknowledged=self.acknowledged,
                        next_seq=self.next_seq,
                        backlog=Backlog(events=len(self.messages)),
                        agents=agents,
                    )
                )
        return encode(Done())

    async def _pull(self, agent: str, asked: PullRequest) -> Batch:
        self.pulls.append(asked)
        loop = asyncio.get_running_loop()
        ends = loop.time() + asked.wait
        while True:
            self.rung.clear()
            fresh = self._lease(agent, asked)
            holds = self.holder == agent
            after = self.acknowledged if fresh else max(asked.after, self.acknowledged)
            found = [one for one in self.messages if one.seq > after][: min(self.limit, asked.limit)]
            found = found if holds and not asked.paused else []
            if fresh or found or (holds and self.asks) or loop.time() >= ends:
                return self._batch(agent, found)
            try:
                async with asyncio.timeout_at(ends):
                    await self.rung.wait()
            except TimeoutError:
                continue

    def _lease(self, agent: str, asked: PullRequest) -> bool:
        """Take or renew it; whether that began a new one."""
        if self.holder not in ("", agent):
            return False
        if asked.incarnation == self.incarnation and asked.seen >= self.next_seq:
            self.finals[self.incarnation, self.epoch] = self.acknowledged
            self.incarnation = f"{self.incarnation}x"
            self.next_seq, self.holder = asked.seen + 1000, ""
        if self.holder == agent and asked.epoch == self.epoch:
            return False
        self.finals[self.incarnation, self.epoch] = self.acknowledged
        self.epoch += 1
        self.holder = agent
        return True

    def _batch(self, agent: str, found: list[Sealed]) -> Batch:
        holds = self.holder == agent
        asks, self.asks = (tuple(self.asks), []) if holds else ((), self.asks)
        if holds:
            self.given.setdefault(self.epoch, []).extend(one.seq for one in found)
        return Batch(
            incarnation=self.incarnation,
            epoch=self.epoch if holds else 0,
            lease_seconds=60.0,
            acknowledged=self.acknowledged,
            messages=tuple(found),
            keys={"k1": self._key.wrapped(exchange_public(ORGANISATION_KEY))},
            asks=asks,
            backlog=Backlog(events=len(self.messages)),
            holder="" if holds else f"agent {self.holder}",
            declaration=declaration_digest(self.declared),
        )

    def _acknowledge(self, agent: str, asked: Acknowledge) -> Acknowledged:
        current = (agent, asked.incarnation, asked.epoch) == (self.holder, self.incarnation, self.epoch)
        if current:
            to = max(self.acknowledged, min(asked.to, self.next_seq - 1))
            self.accepted.setdefault(agent, set()).update(range(self.acknowledged + 1, to + 1))
            self.acknowledged = to
            self.messages = [one for one in self.messages if one.seq > to]
        known = current or (asked.incarnation, asked.epoch) in self.finals
        position = self.acknowledged if current else self.finals.get((asked.incarnation, asked.epoch), 0)
        return Acknowledged(accepted=current, incarnation=self.incarnation, epoch=self.epoch, position=position, known=known)


# ---- faults ----


async def cut(_request: httpx.Request, _go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The request never arrives."""
    raise httpx.ConnectError("Connection refused")


async def lost(_request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """It arrives and is done, and the answer is lost."""
    await go()
    raise httpx.ReadError("closed")


async def twice(_request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """It arrives twice; the second answer is what the agent sees."""
    await go()
    return await go()


async def half(_request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer ends in the middle, and looks whole."""
    answer = await go()
    body = await answer.aread()
    return httpx.Response(answer.status_code, content=body[: len(body) // 2], headers=_kept(answer))


async def altered(_request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """One bit of the answer is another."""
    answer = await go()
    body = bytearray(await answer.aread())
    body[-1:] = bytes([body[-1] ^ 1]) if body else b"x"
    return httpx.Response(answer.status_code, content=bytes(body), headers=_kept(answer))


async def unsigned(_request: httpx.Request, go: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """A middlebox takes away what it does not know."""
    answer = await go()
    return httpx.Response(answer.status_code, content=await answer.aread(), headers={"content-type": FRAMES})


def _kept(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "content-length"}
