"""The delivery: one event on its way to one destination."""

import base64
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from touchpoints.event import Event
from touchpoints.moment import Micros


class DeliveryState(StrEnum):
    """Where a delivery stands. Pending, held and given up are unsettled and never pruned."""

    PENDING = "pending"
    HELD = "held"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    DISMISSED = "dismissed"


UNSETTLED = frozenset({DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.GIVEN_UP})


def delivery_id(event_id: str, destination: str, run: int) -> str:
    """The id of one delivery, the same for every attempt: `<event id>-<8 letters of a hash of destination name and run>`.

    It begins with the event's id so that it can be found without an index of its own, and holds only letters,
    digits and `-`, so that it can be a file name.
    """
    return f"{event_id}-{_lane_letters(destination, run)}"


@lru_cache(maxsize=4096)
def _lane_letters(destination: str, run: int) -> str:
    digest = hashlib.sha256(f"{destination}\0{run}".encode()).digest()
    return base64.b32encode(digest[:5]).decode().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one destination."""

    id: str
    event_id: str
    touchpoint: int
    destination: int
    run: int = 1  # 1 the first time, one more for each replay
    state: DeliveryState = DeliveryState.PENDING
    order_key: str = ""
    due_at: Micros = 0
    attempts: int = 0  # attempts made
    tries: int = 0  # attempts that count against the retry schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed delivery with all that an attempt needs."""

    seq: int  # the outbox's own number of the delivery
    delivery: Delivery
    event: Event
    body: bytes
