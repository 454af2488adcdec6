"""What an events file must do, in plain dictionaries: the other half of the test that lets both run side by side."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SETTLED = frozenset({"delivered", "dismissed"})

# An action: which states it applies to, the one it leads to, and whether it makes the delivery due now.
MOVES: Mapping[str, tuple[frozenset[str], str, bool]] = {
    "hold": (frozenset({"pending"}), "held", False),
    "release": (frozenset({"held"}), "pending", True),
    "retry_now": (frozenset({"pending"}), "pending", True),
    "give_up": (frozenset({"pending", "held"}), "given_up", False),
    "dismiss": (frozenset({"given_up", "held"}), "dismissed", False),
}


@dataclass(slots=True)
class Sent:
    """A delivery."""

    number: int  # in order of planning
    event: int
    destination: int
    run: int
    state: str = "pending"
    due: int = 0
    attempts: int = 0
    tries: int = 0


@dataclass(slots=True)
class Kept:
    """An event."""

    number: int
    verdict: str
    waiting: bool = False
    stored: bool = True  # its body
    dismissed: bool = False
    duplicate_of: int | None = None
    item_of: int | None = None
    sent: list[Sent] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        return self.verdict != "refused" and not self.waiting and all(one.state in SETTLED for one in self.sent)


@dataclass(frozen=True, slots=True)
class Way:
    """How an event is planned."""

    destinations: tuple[int, ...] = ()  # none: it is filtered
    key: str | None = None
    items: tuple["Way", ...] | None = None


def item_number(parent: int, at: int) -> int:
    """The number of an item."""
    return 1000 + parent * 10 + at


class Model:
    """Inbox, outbox, log and what a person does."""

    def __init__(self) -> None:
        self.events: dict[int, Kept] = {}  # in order of receipt
        self.claims: dict[str, int] = {}
        self._given = 0

    @property
    def waiting(self) -> list[int]:
        return [one.number for one in self.events.values() if one.waiting]

    @property
    def sent(self) -> list[Sent]:
        return [sent for one in self.events.values() for sent in one.sent]

    def put(self, number: int, *, refused: bool) -> None:
        if number not in self.events:
            self.events[number] = Kept(number, "refused" if refused else "accepted", waiting=not refused)

    def accept(self, number: int) -> bool:
        """Whether its body is still there."""
        one = self.events[number]
        if one.stored and one.verdict == "refused":
            one.verdict, one.waiting, one.dismissed = "accepted", True, False
        return one.stored

    def plan(self, number: int, way: Way) -> None:
        one = self.events[number]
        if not one.waiting:
            return
        one.waiting = False
        if way.items is None:
            self._run(one, way)
            return
        one.verdict = "split"
        for at, inner in enumerate(way.items):
            item = Kept(item_number(number, at), "accepted", item_of=number)
            self.events[item.number] = item
            self._run(item, inner)

    def _run(self, one: Kept, way: Way) -> None:
        if way.key is not None and self.claims.setdefault(way.key, one.number) != one.number:
            one.verdict, one.duplicate_of = "duplicate", self.claims[way.key]
        elif not way.destinations:
            one.verdict = "filtered"
        else:
            self.send(one, way.destinations, 1)

    def send(self, one: Kept, destinations: Iterable[int], run: int) -> None:
        for destination in destinations:
            self._given += 1
            one.sent.append(Sent(self._given, one.number, destination, run))

    def due(self, destination: int) -> list[Sent]:
        found = [one for one in self.sent if one.destination == destination and one.state == "pending"]
        return sorted(found, key=lambda one: (one.due, one.number))

    def settle(self, sent: Sent, attempt: int, state: str, due: int) -> None:
        if sent.attempts >= attempt:
            return
        sent.attempts = attempt
        sent.tries += 1
        if sent.state == "pending":
            sent.state, sent.due = state, due
        elif sent.state in ("held", "given_up") and state == "delivered":
            sent.state = state

    def act(self, action: str, numbers: Sequence[int], now: int) -> int:
        """How many were changed."""
        sources, target, due = MOVES[action]
        chosen = [self.events[number] for number in numbers]
        moved = [sent for one in chosen for sent in one.sent if sent.state in sources]
        if target in sources:
            moved = [sent for sent in moved if sent.due > now]
        for sent in moved:
            sent.state, sent.due = target, now if due else sent.due
        if action != "dismiss":
            return len(moved)
        told = [one for one in chosen if one.verdict == "refused" and one.stored and not one.dismissed]
        for one in told:
            one.dismissed = True
        return len(moved) + len(told)

    def replayable(self, number: int) -> bool:
        one = self.events[number]
        return one.stored and not one.waiting and one.verdict not in ("refused", "split")

    def prune(self) -> None:
        """Far later, when all that may go goes."""
        self.claims.clear()
        for one in self.events.values():
            if one.settled or one.verdict == "refused":
                one.stored = False

    def counts(self) -> Counter[str]:
        """What is not settled."""
        found = Counter(one.state for one in self.sent if one.state not in SETTLED)
        told = [one for one in self.events.values() if one.verdict == "refused" and one.stored and not one.dismissed]
        return found + Counter({"inbox": len(self.waiting), "refused": len(told)})
