"""What pulled events and asks are worth: opened, then judged exactly as the listener judges a request."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import structlog

from store.dock import Landed
from store.pairing import Pairing
from touchpoints.event import Arrival, ArrivedBy, Event, Verdict
from touchpoints.judge import LARGE, Judged, event_of, judge
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.message import CANNOT_ANSWER, Ask, Batch, Reply, Sealed
from touchpoints.pull.packed import Packed, unpack
from touchpoints.pull.sealing import DataKey, SealBroken, open_data_key
from touchpoints.receive import receive
from touchpoints.request import Answer, Refused, Request
from touchpoints.touchpoint import Touchpoint

log = structlog.get_logger()

KEYS_KEPT = 64
TURN = 32  # small events judged before others have their turn


class PullJudge:
    """Opens and judges for one pairing."""

    def __init__(
        self,
        pairing: Pairing,
        *,
        touchpoints: Callable[[], Mapping[str, Touchpoint]],
        touchpoint_id: Callable[[str], Awaitable[int]],
    ) -> None:
        """`touchpoints` by name and alias; `touchpoint_id` keeps an id for a name that is none of these."""
        self._pairing = pairing
        self._touchpoints = touchpoints
        self._touchpoint_id = touchpoint_id
        self._keys: OrderedDict[tuple[str, bytes], DataKey] = OrderedDict()

    async def landed(self, batch: Batch) -> list[Landed]:
        """The batch's events, verified or refused; handshakes that came too late to be answered are left out.

        - A touchpoint that this agent lacks cannot verify: its events are refused, kept, and can be verified once it is there.
        - What cannot be opened is kept as it is, so that the lane goes on.
        """
        found: list[Landed] = []
        known = self._touchpoints()
        for number, sealed in enumerate(batch.messages, 1):
            try:
                arrival = await self._arrival(sealed, batch.keys, known)
            except (SealBroken, PullMalformed) as error:
                log.error("seal_unreadable", event_id=sealed.id, why=str(error))
                arrival = unreadable(sealed)
            if arrival is not None:
                found.append(Landed(seq=sealed.seq, arrival=arrival))
            if number % TURN == 0:
                await asyncio.sleep(0)
        return found

    async def reply(self, ask: Ask, keys: Mapping[str, bytes]) -> Reply:
        """The answer to a handshake, or that it is none."""
        try:
            packed = unpack(self._key(ask.key_id, keys).open(ask.data, event_id=ask.id))
        except (SealBroken, PullMalformed):
            return Reply(id=ask.id, status=CANNOT_ANSWER)
        touchpoint = self._touchpoints().get(packed.touchpoint)
        received = receive(self._request(packed), touchpoint) if touchpoint else None
        if isinstance(received, Answer):
            return Reply(id=ask.id, status=received.status, headers=received.headers, body=received.body)
        return Reply(id=ask.id, status=CANNOT_ANSWER)

    async def _arrival(self, sealed: Sealed, keys: Mapping[str, bytes], known: Mapping[str, Touchpoint]) -> Arrival | None:
        key = self._key(sealed.key_id, keys)
        large = len(sealed.data) > LARGE
        packed = await asyncio.to_thread(_open, sealed, key) if large else _open(sealed, key)
        request = self._request(packed)
        touchpoint = known.get(packed.touchpoint)
        if touchpoint is None:
            judged = Judged(received=Refused(code="touchpoint_lacking"), digest=await _digest(packed.body, in_thread=large))
            number = await self._touchpoint_id(packed.touchpoint)
        else:
            judged = await asyncio.to_thread(judge, request, touchpoint) if large else judge(request, touchpoint)
            number = touchpoint.id
        if isinstance(judged.received, Answer):
            return None
        event = event_of(sealed.id, request, number, judged, arrived_by=ArrivedBy.PROXY)
        return Arrival(event=event, body=packed.body)

    def _key(self, key_id: str, keys: Mapping[str, bytes]) -> DataKey:
        wrapped = keys.get(key_id)
        if wrapped is None:
            raise SealBroken("its key is not there")
        kept = self._keys.get((key_id, wrapped))
        if kept is None:
            kept = open_data_key(key_id, wrapped, self._pairing.opening_key, organisation=self._pairing.organisation)
            self._keys[key_id, wrapped] = kept
            if len(self._keys) > KEYS_KEPT:
                self._keys.popitem(last=False)
        return kept

    def _request(self, packed: Packed) -> Request:
        return Request(
            method=packed.method,
            target=packed.target,
            headers=packed.headers,
            body=packed.body,
            remote=packed.remote,
            received_at=packed.received_at,
            url=sender_url(self._pairing, packed.target),
        )


def sender_url(pairing: Pairing, target: str) -> str:
    """The URL that the sender was given, with the query as it sent it, by the request's target: what senders sign."""
    if target.partition("?")[0].count("/") != 2:
        return pairing.url + target
    parts = urlsplit(pairing.url)  # with wildcard names the domain is no part of the path
    return f"{parts.scheme}://{pairing.domain}.{parts.netloc}{target}"


def unreadable(sealed: Sealed) -> Arrival:
    """What stands for an event that cannot be opened: its sealed bytes, refused."""
    event = Event(
        id=sealed.id,
        touchpoint=0,
        received_at=sealed.received_at,
        arrived_by=ArrivedBy.PROXY,
        verdict=Verdict.REFUSED,
        reason="seal_unreadable",
        method="POST",
        target="/",
        headers=(),
        remote="",
        body_bytes=len(sealed.data),
        body_hash=sealed.digest,
    )
    return Arrival(event=event, body=sealed.data)


def _open(sealed: Sealed, key: DataKey) -> Packed:
    packed = unpack(key.open(sealed.data, event_id=sealed.id))
    if packed.event_id != sealed.id:
        raise PullMalformed("a seal that holds another event")
    return packed


async def _digest(body: bytes, *, in_thread: bool) -> bytes:
    return (await asyncio.to_thread(hashlib.sha256, body) if in_thread else hashlib.sha256(body)).digest()
