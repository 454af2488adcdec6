"""What pulled events and asks are worth: opened, then judged exactly as the listener judges a request."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import structlog

from appliance.key_patience import KeyPatience
from store.dock import Landed
from store.pairing import Pairing
from touchpoints import handshake
from touchpoints.event import Arrival, ArrivedBy, Event, Verdict
from touchpoints.judge import LARGE, Judged, event_of
from touchpoints.pull.malformed import PullMalformed
from touchpoints.pull.message import CANNOT_ANSWER, CANNOT_NOW, Ask, Batch, Reply, Sealed
from touchpoints.pull.packed import Packed, unpack
from touchpoints.pull.sealing import DataKey, SealBroken, open_data_key
from touchpoints.request import Answer, Refused, Request
from touchpoints.touchpoint import Touchpoint
from web.listener.intake import Perform, not_performed
from web.listener.judging import NO_KEY_SOURCE, KeySource, judge_by

log = structlog.get_logger()

KEYS_KEPT = 64
TURN = 32  # small events judged before others have their turn
KEY_PATIENCE = 5.0  # seconds that one batch waits for published keys in all: the lease runs on
ASK_KEY_PATIENCE = 1.5  # of an ask's three


class PullJudge:
    """Opens and judges for one pairing."""

    def __init__(
        self,
        pairing: Pairing,
        *,
        touchpoints: Callable[[], Mapping[str, Touchpoint]],
        touchpoint_id: Callable[[str], Awaitable[int]],
        perform: Perform = not_performed,
        published: KeySource = NO_KEY_SOURCE,
    ) -> None:
        """`touchpoints` by name and alias; `touchpoint_id` keeps an id for a name that is none of these."""
        self._perform = perform
        self._published = published
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
        patience = KeyPatience(KEY_PATIENCE)
        for number, sealed in enumerate(batch.messages, 1):
            try:
                arrival = await self._arrival(sealed, batch.keys, known, patience)
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
        if touchpoint is None:
            return Reply(id=ask.id, status=CANNOT_ANSWER)
        request = self._request(packed)
        received = (await judge_by(self._published, request, touchpoint, seconds=ASK_KEY_PATIENCE)).received
        if isinstance(received, Answer):
            return _reply(ask, await self._perform(touchpoint, request, received))
        if isinstance(received, Refused) and handshake.refuses(request, touchpoint.handshake):
            return Reply(id=ask.id, status=401)
        return Reply(id=ask.id, status=CANNOT_ANSWER)

    async def _arrival(
        self, sealed: Sealed, keys: Mapping[str, bytes], known: Mapping[str, Touchpoint], patience: KeyPatience
    ) -> Arrival | None:
        key = self._key(sealed.key_id, keys)
        large = len(sealed.data) > LARGE
        packed = await asyncio.to_thread(_open, sealed, key) if large else _open(sealed, key)
        request = self._request(packed)
        touchpoint = known.get(packed.touchpoint)
        if touchpoint is None:
            judged = Judged(received=Refused(code="touchpoint_lacking"), digest=await _digest(packed.body, in_thread=large))
            number = await self._touchpoint_id(packed.touchpoint)
        else:
            judged = await self._judged(sealed.id, request, touchpoint, patience)
            number = touchpoint.id
        if touchpoint is not None and isinstance(judged.received, Answer):
            late = await self._late(touchpoint, request, judged.received)
            if late is None:
                return None
            judged = replace(judged, received=late)
        event = event_of(sealed.id, request, number, judged, arrived_by=ArrivedBy.PROXY)
        return Arrival(event=event, body=packed.body)

    async def _judged(self, event_id: str, request: Request, touchpoint: Touchpoint, patience: KeyPatience) -> Judged:
        try:
            return await judge_by(self._published, request, touchpoint, seconds=patience.left)
        except Exception as error:  # one event that cannot be judged would hold up everything behind it for ever
            log.error("judging_failed", event_id=event_id, touchpoint=touchpoint.name, exc_info=error)
            digest = await _digest(request.body, in_thread=len(request.body) > LARGE)
            return Judged(received=Refused(code="judging_failed"), digest=digest)

    async def _late(self, touchpoint: Touchpoint, request: Request, answer: Answer) -> Refused | None:
        """What becomes of a handshake that was queued: nothing, once its confirmation was visited.

        A secret is not taken any more: its sender never got the answer that makes it one.
        """
        if answer.secret:
            return Refused(code="no_secret")
        done = await self._perform(touchpoint, request, answer)
        return Refused(code="confirmation_failed") if answer.visit and done.status >= CANNOT_NOW else None

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


def _reply(ask: Ask, answer: Answer) -> Reply:
    """The sender's answer; what it could not get now, it comes again for."""
    if answer.status == CANNOT_NOW:
        return Reply(id=ask.id, status=CANNOT_NOW)
    return Reply(id=ask.id, status=answer.status, headers=answer.headers, body=answer.body)


def _open(sealed: Sealed, key: DataKey) -> Packed:
    packed = unpack(key.open(sealed.data, event_id=sealed.id))
    if packed.event_id != sealed.id:
        raise PullMalformed("a seal that holds another event")
    return packed


async def _digest(body: bytes, *, in_thread: bool) -> bytes:
    return (await asyncio.to_thread(hashlib.sha256, body) if in_thread else hashlib.sha256(body)).digest()
