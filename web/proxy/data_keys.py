"""The data keys in use: one for each organisation, renewed every minute, stored before the first event is sealed with it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from store.queue import Queue
from touchpoints.moment import MINUTE, Micros
from touchpoints.pull.key import Chance
from touchpoints.pull.sealing import SealingKey, new_data_key

IDLE: Micros = 5 * MINUTE  # a key that long out of use leaves the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    sealing_key: bytes
    key: SealingKey = field(repr=False)
    wrapped: bytes = field(repr=False)


class DataKeys:
    """Gives an organisation's present key."""

    def __init__(self, *, chance: Chance, now: Callable[[], Micros]) -> None:
        self._chance = chance
        self._now = now
        self._keys: dict[int, _Kept] = {}  # by organisation
        self._making: dict[int, asyncio.Lock] = {}
        self._swept: Micros = 0
        self._used: dict[int, Micros] = {}

    async def current(self, organisation: int, sealing_key: bytes, queue: Queue) -> SealingKey:
        """The key to seal with now. Raises StoreUnavailable, and SealBroken for a bad `sealing_key`."""
        now = self._now()
        self._used[organisation] = now
        if (kept := self._good(organisation, sealing_key, now)) is not None:
            return kept
        self._sweep(now)
        async with self._making.setdefault(organisation, asyncio.Lock()):
            if (kept := self._good(organisation, sealing_key, now)) is not None:
                return kept
            fresh = new_data_key(self._chance, organisation=organisation, now=now)
            wrapped = fresh.wrapped(sealing_key)
            await queue.put_key(organisation, fresh.id, wrapped, now=now)
            self._keys[organisation] = _Kept(sealing_key=sealing_key, key=fresh, wrapped=wrapped)
            return fresh

    def wrapped(self, organisation: int, key_ids: Iterable[str]) -> Mapping[str, bytes]:
        """Those of these keys that are in use now, wrapped for the organisation's agents."""
        kept = self._keys.get(organisation)
        return {kept.key.id: kept.wrapped} if kept is not None and kept.key.id in set(key_ids) else {}

    def forget(self, organisation: int) -> None:
        """The organisation is gone, or has another sealing key."""
        self._keys.pop(organisation, None)

    def _good(self, organisation: int, sealing_key: bytes, now: Micros) -> SealingKey | None:
        kept = self._keys.get(organisation)
        if kept is None or kept.sealing_key != sealing_key or kept.key.due(now):
            return None
        return kept.key

    def _sweep(self, now: Micros) -> None:
        if 0 <= now - self._swept < MINUTE:
            return
        self._swept = now
        for organisation, used in list(self._used.items()):
            if not 0 <= now - used < IDLE and not self._locked(organisation):
                self._keys.pop(organisation, None)
                self._used.pop(organisation, None)
                self._making.pop(organisation, None)

    def _locked(self, organisation: int) -> bool:
        lock = self._making.get(organisation)
        return lock is not None and lock.locked()
