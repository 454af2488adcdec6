"""The attempt: one try at a delivery, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum

from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The destination has it."""

    http_status: int | None = None
    answer: bytes = b""  # the beginning of the destination's answer, about 2 KiB, without our own secrets


class Blame(StrEnum):
    """What a failure speaks of: the event itself, the destination, or neither (it is final)."""

    EVENT = "event"
    DESTINATION = "destination"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The destination does not have it, or we cannot know."""

    blame: Blame
    code: str  # a problem code, e.g. http_status, timeout, no_connection
    error: str  # one sentence for a person; holds no secret
    http_status: int | None = None
    answer: bytes = b""
    retry_after: Micros | None = None  # what the destination asked for, as a span


Outcome = Delivered | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a delivery."""

    number: int  # from 1
    started_at: Micros
    duration: Micros
    outcome: Outcome
