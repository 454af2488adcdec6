"""The log: everything that happened, for lists, timelines, counts and export. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from touchpoints.attempt import Blame
from touchpoints.delivery import Delivery, DeliveryState
from touchpoints.event import Event
from touchpoints.moment import Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events or deliveries are meant. Empty fields do not filter."""

    ids: tuple[str, ...] = ()  # event ids or delivery ids
    reference: str | None = None
    dedup_key: str | None = None
    since: Micros | None = None  # received_at, inclusive
    until: Micros | None = None  # received_at, exclusive
    touchpoint: int | None = None
    destination: int | None = None
    state: str | None = (
        None  # a delivery state or a verdict: pending held delivered given_up dismissed refused duplicate filtered split
    )
    tests: bool = False  # include test events
    above: int | None = None  # events of higher numbers than this


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One event in a list, with its deliveries' states."""

    seq: int
    event: Event
    duplicate_of: str | None = None
    item_of: str | None = None  # the id of the event whose body it stood in
    flags: tuple[str, ...] = ()  # e.g. same_id_other_body
    waiting: bool = False  # still in the inbox
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAttempt:
    """An attempt as recorded."""

    delivery_id: str
    number: int
    started_at: Micros
    duration: Micros
    outcome: str  # delivered | failed
    blame: Blame | None
    http_status: int | None
    error_code: str
    error: str
    answer: bytes
    next_attempt_at: Micros | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One event with everything that happened to it."""

    listed: Listed
    attempts: tuple[RecordedAttempt, ...]
    duplicates: tuple[str, ...]  # ids of events that repeat this one
    items: tuple[str, ...] = ()  # ids of the events it was split into, in the order of its body


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """One row of the export, in design order; ids of touchpoint and destination are named by the caller."""

    cursor: tuple[int, int, int]  # event seq, delivery seq, attempt: pass the last one back to go on
    received_at: Micros
    event_id: str
    touchpoint: int
    event_type: str
    reference: str | None
    arrived_by: str
    destination: int | None
    delivery_id: str | None
    run: int | None
    delivery_state: str
    attempt: int  # 0: never tried, or an event without deliveries
    attempted_at: Micros | None
    duration: Micros | None
    outcome: str  # delivered | failed | "" ; for refused events the reason stands in error_code
    http_status: int | None
    error_code: str
    error: str
    next_attempt_at: Micros | None
    body_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is not settled, over all."""

    inbox: int
    outbox: int  # pending
    held: int
    given_up: int
    refused: int  # refused events kept and not yet verified again or dismissed
    oldest_at: Micros | None  # received_at of the oldest unsettled, not counting given up


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationBacklog:
    """What is not settled, at one destination."""

    pending: int
    held: int
    given_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """One slice of a search through bodies."""

    found: tuple[Listed, ...]  # newest first
    next_before: int | None  # where to go on; None at the end
    looked: int  # how many bodies were read


class Log(Protocol):
    """Reads of everything that happened."""

    async def events(self, which: Filter, *, limit: int, before: int | None = None) -> Sequence[Listed]:
        """Newest first, `seq < before`; pages by key, so the cost does not grow with the page's depth."""

    async def timeline(self, event_id: str) -> Timeline | None:
        """One event by its id, or by a delivery's id."""

    async def last_attempts(self, seqs: Sequence[int]) -> Mapping[str, RecordedAttempt]:
        """The latest attempt of every delivery of these events, by the delivery's id."""

    async def find(self, text: str, *, limit: int) -> Sequence[Listed]:
        """Events by id (or a delivery's), reference or recent dedup key at once, newest first; tests included."""

    async def scan(self, text: bytes, which: Filter, *, before: int | None = None) -> Scanned:
        """A bounded slice of a search for bytes in bodies, newest first, ASCII letters of either case; call again to go on."""

    async def reach(self, which: Filter) -> tuple[int, int]:
        """Numbers `low <= seq < high` between which the stored bodies of the filter's time lie; equal when there is none.

        Where `scan` begins and ends. A day of grace on both sides, for clocks that were set back.
        """

    async def body(self, event_id: str) -> bytes | None:
        """The exact bytes, or None when the event is unknown or its body was pruned."""

    async def rows(self, which: Filter, *, limit: int, after: tuple[int, int, int] = (0, 0, 0)) -> Sequence[ExportRow]:
        """The next `limit` export rows after a cursor, in order of receipt. Read in short slices, never in one long read."""

    async def count_rows(self, which: Filter, *, most: int | None = None) -> int:
        """How many export rows there will be, for a progress bar; may be off while events arrive. Beyond `most` it stops."""

    async def backlog(self) -> Backlog:
        """What is not settled."""

    async def count_held(self, *, up_to: int) -> int:
        """How many deliveries are held, of events with this number or a lower one."""

    async def destinations(self) -> Mapping[int, DestinationBacklog]:
        """What is not settled, by destination; cheap however much is stored."""

    async def last_events(self) -> Mapping[int, Micros]:
        """The last received event of every touchpoint, tests not counted."""

    async def recent_deliveries(self, touchpoints: Sequence[int], *, limit: int) -> Mapping[int, Sequence[tuple[Micros, str]]]:
        """(received_at, state) of each touchpoint's last deliveries, oldest first; tests not counted.

        Only a touchpoint's last few hundred events are looked through, so that refused floods cost nothing.
        """

    async def refusals(self, touchpoint: int | None = None, *, since: Micros = 0) -> Mapping[tuple[int, str], int]:
        """How many requests were refused, by touchpoint and reason, also those of which no sample was kept."""


UNSETTLED_STATES = (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.GIVEN_UP)
