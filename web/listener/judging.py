"""Judging with what its sender publishes: where published keys are wanted, they are had, and the request is judged again."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from touchpoints.judge import LARGE, Judged, judge
from touchpoints.published_key import NO_KEYS, KeyPlace, Keys
from touchpoints.request import Refused, Request, Wanting
from touchpoints.touchpoint import Touchpoint

MOST_PLACES = 8  # asked for by one request

UNAVAILABLE = "key_unavailable"


class KeySource(Protocol):
    """Whoever has published keys, and can fetch more: see appliance.key_holder."""

    @property
    def at_hand(self) -> Keys:
        """What is fresh enough to judge by."""

    async def fetch(self, places: Sequence[KeyPlace], *, sender: str, size: int, seconds: float) -> Keys:
        """What is to be had of the places within that time.

        `sender` is the address of who named them; `size` is what waits for it, in bytes.
        """


class NoKeySource:
    """Nothing published is ever to be had."""

    at_hand: Keys = NO_KEYS

    async def fetch(self, places: Sequence[KeyPlace], *, sender: str, size: int, seconds: float) -> Keys:  # noqa: ARG002 - as KeySource's
        """Nothing."""
        return NO_KEYS


NO_KEY_SOURCE: KeySource = NoKeySource()


async def judge_by(source: KeySource, request: Request, touchpoint: Touchpoint, *, seconds: float) -> Judged:
    """What a request is worth; it waits once, and `seconds` at most, for keys. `received` is never Wanting.

    Without the keys it is Refused(key_unavailable): the same request may be right a moment later. With keys that were fetched
    since it came, but not the one that signed, it is Refused(key_unknown). Older ones tell nothing of that one: it may be new,
    and a stranger may have seen to it that they are not fetched again at once. A large body is judged in a thread.
    """
    keys = source.at_hand
    found = await _judge(request, touchpoint, keys)
    wanted: Sequence[KeyPlace] = ()
    for waits in (seconds, 0.0):
        if not isinstance(found.received, Wanting):
            return found
        wanted = found.received.keys[:MOST_PLACES]
        got = await source.fetch(wanted, sender=request.remote, size=len(request.body), seconds=waits)
        if not got:
            return Judged(received=Refused(code=UNAVAILABLE), digest=found.digest)
        keys = {**keys, **got}
        found = await _judge(request, touchpoint, keys)
    if isinstance(found.received, Wanting):
        unknown = all(place in keys and keys[place].fetched_at >= request.received_at for place in wanted)
        return Judged(received=Refused(code="key_unknown" if unknown else UNAVAILABLE), digest=found.digest)
    return found


async def _judge(request: Request, touchpoint: Touchpoint, keys: Keys) -> Judged:
    if len(request.body) > LARGE:
        return await asyncio.to_thread(judge, request, touchpoint, keys)
    return judge(request, touchpoint, keys)
