"""The proxy as this agent reaches it: the pull API's calls, as values. A place like any other, only far away."""

import asyncio
from typing import TypeVar

import httpx

from store.pairing import Pairing
from store.remote_errors import tampered
from store.remote_session import Room, Session
from touchpoints.pull.body import decode, encode
from touchpoints.pull.call import (
    Acknowledge,
    Approve,
    Declared,
    Done,
    KeyAnswer,
    Ready,
    RecoveryAnswer,
    Release,
    Renew,
    Seek,
    State,
    TakeOver,
)
from touchpoints.pull.declaration import Declaration
from touchpoints.pull.frames import FRAMES, decode_batch, untouched
from touchpoints.pull.key import signing_public
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.message import Acknowledged, Batch, PullRequest, Reply
from touchpoints.pull.proof import sign_renewal
from touchpoints.pull.sealing import SealBroken, unwrap_challenge
from touchpoints.pull.shape import LARGEST_BATCH

Value = TypeVar("Value")

PULL_GRACE = 10.0  # seconds beyond `wait` for an answer to begin
_LARGE = 256 * 1024  # from here a batch is taken apart in a thread


class Remote:
    """One pairing's proxy. Every call raises RemoteError; an answer that is not of the protocol's form counts as tampered."""

    def __init__(self, client: httpx.AsyncClient, pairing: Pairing, *, version: str, count_from: int) -> None:
        """`version` is this agent's alone, such as 1.2.3, told in User-Agent; for `count_from` see Session."""
        self._agent = pairing.agent_id
        self._organisation = pairing.organisation
        self._signing_key = pairing.signing_key
        self._session = Session(
            client,
            url=pairing.url,
            agent=pairing.agent_id,
            signing_key=pairing.signing_key,
            proxy_key=pairing.proxy_key,
            version=version,
            count_from=count_from,
        )

    async def pull(self, request: PullRequest, *, room: Room | None = None) -> Batch:
        """The next batch, its proof and every digest checked. `room` is told of its size before it is read."""
        data = await self._session.call(
            "POST",
            "/v1/pull",
            encode(request),
            seconds=request.wait + PULL_GRACE,
            most=LARGEST_BATCH,
            accept=FRAMES,
            room=room,
        )
        try:
            return await asyncio.to_thread(_batch, data) if len(data) > _LARGE else _batch(data)
        except PullMalformed as malformed:
            raise tampered(malformed.reason) from malformed

    async def acknowledge(
        self, incarnation: str, epoch: int, *, to: int, event_id: str = "", seconds: float = 30.0
    ) -> Acknowledged:
        """Everything up to `to`, the number of `event_id`, stored under `epoch`, is safe here."""
        body = encode(Acknowledge(incarnation=incarnation, epoch=epoch, to=to, id=event_id))
        return self._read(Acknowledged, await self._session.call("POST", "/v1/acknowledge", body, seconds=seconds))

    async def release(self, epoch: int, *, seconds: float = 30.0) -> None:
        """Another agent may take over at once."""
        await self._session.call("POST", "/v1/release", encode(Release(epoch=epoch)), seconds=seconds)

    async def reply(self, reply: Reply, *, seconds: float = 3.0) -> None:
        """The answer to an ask."""
        await self._session.call("POST", "/v1/reply", encode(reply), seconds=seconds)

    async def declaration(self) -> Declaration:
        """The declaration that counts now."""
        return await self._get(Declaration, "/v1/declaration")

    async def declare(self, declaration: Declaration) -> Declared:
        """Declare; it counts while this agent holds the lease."""
        return self._read(Declared, await self._session.call("PUT", "/v1/declaration", encode(declaration)))

    async def state(self) -> State:
        """How things stand at the proxy."""
        return await self._get(State, "/v1/state")

    async def key(self) -> KeyAnswer:
        """This agent's state, and the organisation's key once somebody approved it."""
        return await self._get(KeyAnswer, "/v1/key")

    async def recovery(self) -> RecoveryAnswer:
        """What the recovery key opens."""
        return await self._get(RecoveryAnswer, "/v1/recovery")

    async def ready(self, opening_key: bytes) -> None:
        """This agent has the organisation's private key, and proves it by a challenge; where the proxy knows, that is all.

        Raises Tampered for a challenge that the key does not open.
        """
        answer = await self.key()
        if answer.state == "ready":
            return
        try:
            secret = unwrap_challenge(answer.challenge, opening_key, organisation=self._organisation, agent=self._agent)
        except SealBroken as broken:
            raise tampered(str(broken)) from broken
        await self._do("/v1/ready", Ready(secret=secret))

    async def approve(self, agent_id: str, wrapped_key: bytes) -> None:
        """A person compared that agent's fingerprint."""
        await self._session.call("POST", "/v1/approve", encode(Approve(agent_id=agent_id, wrapped_key=wrapped_key)))

    async def renew(self, new_key: bytes) -> None:
        """Announce another signing key (its private half). Keep it, then `use_key`: at its first use the old one dies."""
        proof = sign_renewal(new_key, agent=self._agent, old_public=signing_public(self._signing_key))
        await self._session.call("POST", "/v1/renew", encode(Renew(new_key=signing_public(new_key), proof=proof)))

    def use_client(self, client: httpx.AsyncClient) -> None:
        """Make calls by another client from now on: the connections of the old one may be dead without a word."""
        self._session.use_client(client)

    def use_key(self, signing_key: bytes) -> None:
        """Sign with another key from now on."""
        self._session.use_key(signing_key)
        self._signing_key = signing_key

    async def take_over(self, agent_id: str) -> int:
        """Queue again what that agent took and did not settle; how many events."""
        return (await self._do("/v1/take-over", TakeOver(agent_id=agent_id))).events

    async def seek(self, to: int) -> int:
        """Queue again what was acknowledged after `to` and is still kept; how many events."""
        return (await self._do("/v1/seek", Seek(to=to))).events

    async def leave(self) -> None:
        """This agent is no longer one of the organisation's."""
        await self._session.call("POST", "/v1/leave")

    async def _do(self, path: str, value: object) -> Done:
        return self._read(Done, await self._session.call("POST", path, encode(value)))

    async def _get(self, kind: type[Value], path: str) -> Value:
        return self._read(kind, await self._session.call("GET", path))

    @staticmethod
    def _read(kind: type[Value], data: bytes) -> Value:
        try:
            return decode(kind, data)
        except PullMalformed as malformed:
            raise tampered(malformed.reason) from malformed


def _batch(data: bytes) -> Batch:
    batch = decode_batch(data)
    if not untouched(batch):
        raise PullMalformed("a digest that is not that of its bytes")
    return batch
