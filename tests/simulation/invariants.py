"""Invariants: what must hold after every step, whatever befell before it."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.simulation.ends import Ledger, Post
from tests.simulation.places import Kept, Places


class Invariants:
    """Says what does not hold. It remembers which events it saw: none of them may be gone later."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._seen: set[str] = set()

    def broken(self, places: Places) -> Iterator[str]:
        """What does not hold, in words."""
        ids = places.ids()
        for forgotten in sorted(self._seen - ids):
            yield f"{forgotten} is forgotten"
        self._seen |= ids
        yield from in_one_place(places)
        yield from on_record(places, ids, self._ledger)
        for agent, events in places.kept.items():
            for event in events:
                yield from (f"{agent}: {event.id} {what}" for what in well_placed(event))
                yield from (f"{agent}: {event.id} {what}" for what in rightly_judged(event, self._ledger))
            yield from (f"{agent}: {what}" for what in known_again(events))
        yield from well_run(places, self._ledger)


def in_one_place(places: Places) -> Iterator[str]:
    """An event is at the proxy or kept by one agent. Docked it may be beside the proxy's, or another agent's, never its own."""
    homes: dict[str, list[str]] = defaultdict(list, {one: ["proxy"] for one in places.queued})
    for agent, events in places.kept.items():
        for event in events:
            homes[event.id].append(agent)
            if event.id in places.docked.get(agent, ()):
                homes[event.id].append(f"{agent}'s dock")
    for one, where in homes.items():
        if len(where) > 1:
            yield f"{one} is at once at {', '.join(where)}"


def on_record(places: Places, ids: set[str], ledger: Ledger) -> Iterator[str]:
    """Each 2xx has an event of its own, a repeated one's as well."""
    records = Counter(ledger.at_proxy[one] for one in ids if one in ledger.at_proxy)
    for events in places.kept.values():
        direct = [event for event in events if event.way == "direct" and event.verdict != "refused"]
        records.update(int(event.body) for event in direct if event.body)
    for number, answers in ledger.accepted.items():
        if records[number] < answers:
            yield f"{number} was answered 2xx {answers} times, and {records[number]} of it are there"


def well_placed(event: Kept) -> Iterator[str]:
    """What is accepted is in the inbox, in the outbox or settled; what is not is in none of them."""
    among = (event.inbox, event.pending + event.held > 0, event.settled > 0)
    if event.verdict == "accepted" and sum(among) != 1:
        yield f"is in {sum(among)} places"
    if event.verdict != "accepted" and any(among):
        yield f"is {event.verdict}, and waits or ran"


def rightly_judged(event: Kept, ledger: Ledger) -> Iterator[str]:
    """Forged: refused. Of a type nobody wants: filtered. On hold: held."""
    if event.body is None or (post := ledger.posts.get(int(event.body))) is None:
        yield "is not what was sent"
        return
    if event.inbox:
        if post.forged:
            yield "is forged, and waits in the inbox"
        return
    if event.verdict not in _verdicts(post):
        yield f"is {event.verdict} instead of {' or '.join(sorted(_verdicts(post)))}"
    if post.on_hold and not ledger.released and (event.pending or event.settled):
        yield "is on hold, and goes out"
    if event.held and not post.on_hold:
        yield "is held, and nobody wished so"


def _verdicts(post: Post) -> set[str]:
    if post.forged:
        return {"refused"}
    return {"filtered"} if post.filtered else {"accepted", "duplicate"}


def known_again(events: list[Kept]) -> Iterator[str]:
    """Of what is the same an agent runs one, and says of each other one which it repeats."""
    planned = [event for event in events if event.verdict == "accepted" and not event.inbox]
    for body, times in Counter(event.body for event in planned).items():
        if times > 1:
            yield f"{body!r} runs {times} times"
    bodies = {event.id: event.body for event in planned}
    for event in events:
        if event.verdict == "duplicate" and bodies.get(event.original or "") != event.body:
            yield f"{event.id} repeats {event.original}, which is another or not to run"


def well_run(places: Places, ledger: Ledger) -> Iterator[str]:
    """What ran is what may run, and runs at one agent."""
    agents: dict[str, str] = {}
    for number, runs in ledger.runs.items():
        if not ledger.runnable(ledger.posts[number]):
            yield f"{number} ran, and must not"
        for agent, event in runs:
            if agents.setdefault(event, agent) != agent:
                yield f"{event} ran at two agents"
    accepted = {event.id for events in places.kept.values() for event in events if event.verdict == "accepted"}
    for event in agents.keys() - accepted:
        yield f"{event} ran, and is nowhere accepted"
