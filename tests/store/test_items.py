"""Items of split events in the store: stored with their plans in one transaction, linked, and settled by their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from store.dock import Landed
from store.inbox import StoreUnavailable
from store.log import Filter
from store.outbox import Item, Plan
from store.settings import RetentionSettings
from store.sqlite.events_file import EventsFile
from store.sqlite.log import SELECT_ITEMS
from store.sqlite.scan import SELECT_ANY_ITEM, SELECT_FIRST_PARENTS
from store.sqlite.settled import SELECT_SLICE
from tests.store.make import NOW, arrival, delivery, event, put_and_plan, query, settle_all
from touchpoints.delivery import DeliveryState
from touchpoints.event import ArrivedBy, Verdict
from touchpoints.moment import DAY
from touchpoints.plan import Planned

pytestmark = pytest.mark.anyio


def item(number: int, body: bytes = b"1", *, key: str | None = None, filtered: bool = False, **fields: Any) -> Item:
    """An item with a delivery to destination 1."""
    made = arrival(number, body, **fields)
    deliveries = () if filtered else (delivery(made.event),)
    return Item(arrival=made, planned=Planned(deliveries=deliveries, filtered=filtered, dedup_key=key))


async def put_and_split(file: EventsFile, number: int, items: Sequence[Item], **fields: Any) -> None:
    """Store an event and split it."""
    await file.inbox.put(arrival(number, b"[1,2]", **fields))
    (waiting,) = await file.inbox.take(limit=1)
    await file.outbox.plan([Plan(seq=waiting.seq, items=tuple(items))])


async def verdicts(file: EventsFile) -> dict[int, str]:
    """Verdicts by the numbers of events."""
    return {int(one.event.id): one.event.verdict.value for one in await file.log.events(Filter(tests=True), limit=100)}


async def test_a_split_event_becomes_its_items_in_one_transaction(file: EventsFile, path: Path) -> None:
    """Each with its own body, in large parts where it is large; nothing waits in the inbox, and the parent runs nowhere."""
    large = bytes(range(256)) * 5000
    await put_and_split(file, 1, [item(11, b"1"), item(12, large), item(13, filtered=True)])
    assert await file.inbox.waiting() == 0
    assert await verdicts(file) == {1: "split", 11: "accepted", 12: "accepted", 13: "filtered"}
    jobs = await file.outbox.claim(1, now=2**62, limit=9, max_bytes=2**30)
    assert [(int(job.event.id), job.body) for job in jobs] == [(11, b"1"), (12, large)]
    whole = await file.log.timeline(event(1).id)
    assert whole is not None
    assert whole.items == (event(11).id, event(12).id, event(13).id)
    assert [one.item_of for one in await file.log.events(Filter(), limit=9)] == [*[event(1).id] * 3, None]
    assert await file.log.last_events() == {1: NOW + 1}
    assert query(path, "SELECT count(*) FROM inbox") == [(0,)]


async def test_splitting_twice_changes_nothing(file: EventsFile) -> None:
    """A plan that is repeated, within one call and later, makes no item twice; nor does an item that is there already."""
    await file.inbox.put(arrival(1))
    plan = Plan(seq=1, items=(item(11), item(12)))
    await file.outbox.plan([plan, plan])
    await file.outbox.plan([plan])
    await put_and_split(file, 2, [item(12), item(13)])
    assert await verdicts(file) == {1: "split", 2: "split", 11: "accepted", 12: "accepted", 13: "accepted"}
    assert len(await file.outbox.claim(1, now=2**62, limit=9, max_bytes=2**30)) == 3


async def test_items_claim_keys_in_order_and_their_parent_none(file: EventsFile) -> None:
    """Also the key that was read from the whole: it may be the first item's."""
    await file.inbox.put(arrival(1, dedup_key="a"))
    await file.inbox.put(arrival(2))
    plans = [
        Plan(seq=1, dedup_key="a", items=(item(11, key="a"), item(12, key="b"), item(13, key="a"))),
        Plan(seq=2, items=(item(21, key="b"), item(22, key="c"))),
    ]
    await file.outbox.plan(plans)
    duplicates = {int(one.event.id): one.duplicate_of for one in await file.log.events(Filter(), limit=9) if one.duplicate_of}
    assert duplicates == {13: event(11).id, 21: event(12).id}
    assert len(await file.outbox.claim(1, now=2**62, limit=9, max_bytes=2**30)) == 3


async def test_an_item_that_cannot_be_stored_leaves_everything_as_it_was(file: EventsFile) -> None:
    """All or nothing: the parent still waits, and no item is there."""
    with pytest.raises(StoreUnavailable):
        await put_and_split(file, 1, [item(11), item(12, headers=((b"a", b"1\r\nb: 2"),))])
    assert await file.inbox.waiting() == 1
    assert await verdicts(file) == {1: "accepted"}
    (waiting,) = await file.inbox.take(limit=1)
    await file.outbox.plan([Plan(seq=waiting.seq, items=(item(11),))])
    assert await verdicts(file) == {1: "split", 11: "accepted"}


async def test_a_refused_event_that_was_verified_again_is_split_from_its_stored_body(file: EventsFile) -> None:
    """What the drain splits is what was stored."""
    await file.inbox.put(arrival(1, b"[1,2]", verdict=Verdict.REFUSED, reason="signature_wrong"))
    await file.actions.accept(1, event(1, b"[1,2]"))
    (waiting,) = await file.inbox.take(limit=1)
    assert await file.inbox.body(waiting.seq) == b"[1,2]"
    await file.outbox.plan([Plan(seq=waiting.seq, items=(item(11),))])
    assert await verdicts(file) == {1: "split", 11: "accepted"}


async def test_every_event_has_a_row_in_the_export(file: EventsFile) -> None:
    """A split one has one row in state `split`; its items have theirs, after it."""
    await put_and_split(file, 1, [item(11), item(12, filtered=True)])
    rows = await file.log.rows(Filter(), limit=9)
    assert [(int(row.event_id), row.delivery_state, row.attempt) for row in rows] == [
        (1, "split", 0),
        (11, "pending", 0),
        (12, "filtered", 0),
    ]
    (only,) = await file.log.rows(Filter(state="split"), limit=9)
    assert (only.event_id, await file.log.count_rows(Filter(state="split"))) == (event(1).id, 1)
    assert [int(one.event.id) for one in await file.log.events(Filter(state="split"), limit=9)] == [1]


async def test_a_split_event_is_not_run_again_its_items_are(file: EventsFile) -> None:
    """A replay of everything must not send the whole beside its items."""
    await put_and_split(file, 1, [item(11)])
    assert [int(one.id) for _, one, _ in await file.actions.replayable(Filter(), limit=9)] == [11]
    assert await file.actions.count_replayable(Filter()) == {(1, Verdict.ACCEPTED): 1}


async def test_retention_takes_a_parent_for_settled_and_items_by_their_own(file: EventsFile) -> None:
    """A given-up item keeps its bytes although its parent has gone; what is left tells no wrong parent."""
    await put_and_split(file, 1, [item(11), item(12)])
    await file.actions.give_up(Filter(ids=(event(12).id,)), now=NOW, dry_run=False)
    await settle_all(file)
    await put_and_plan(file, [arrival(20)])
    policy = RetentionSettings(bodies_days=1, log_days=1)
    pruned = await file.retention.prune(policy, now=NOW + 1000 * DAY)
    assert (pruned.bodies, pruned.events) == (2, 2)
    assert await verdicts(file) == {12: "accepted", 20: "accepted"}
    (kept,) = await file.log.events(Filter(ids=(event(12).id,)), limit=1)
    assert (kept.item_of, kept.deliveries[0].state) == (None, DeliveryState.GIVEN_UP)
    assert await file.log.body(event(12).id) == b"1"


async def test_a_pulled_event_is_settled_once_its_items_are(file: EventsFile) -> None:
    """What a proxy is told of is what is done here, not that a body was taken apart."""
    where = ("1@abc", "first", 1)
    pulled = [Landed(seq=number, arrival=arrival(number, b"[1,2]", arrived_by=ArrivedBy.PROXY)) for number in (1, 2)]
    await file.dock.put(*where, pulled)
    await file.dock.release(*where, to=2)
    first, second = await file.inbox.take(limit=2)
    await file.outbox.plan([Plan(seq=first.seq, items=(item(11), item(12))), Plan(seq=second.seq, items=())])
    assert await file.dock.settled(*where[:2]) == (0, 1)
    await settle_all(file)
    assert await file.dock.settled(*where[:2]) == (2, 0)


async def test_a_search_through_bodies_reaches_items_that_were_planned_late(file: EventsFile) -> None:
    """An item stands where it was planned, behind events that were received after it."""
    await file.inbox.put(arrival(1, b"[1,2]", received_at=NOW))
    for number in range(2, 9):
        await file.inbox.put(arrival(number, received_at=NOW + number * DAY))
    waiting = await file.inbox.take(limit=9)
    await file.outbox.plan([Plan(seq=waiting[0].seq, items=(item(11, b"needle", received_at=NOW),))])
    await file.inbox.put(arrival(20, b"needle", received_at=NOW + 20 * DAY))
    assert await file.log.reach(Filter(since=NOW - DAY, until=NOW + 1)) == (1, 11)
    found = await file.log.scan(b"needle", Filter(since=NOW - DAY, until=NOW + 1))
    assert [int(one.event.id) for one in found.found] == [11]
    assert (await file.log.scan(b"needle", Filter(since=NOW + 3 * DAY), before=9)).looked == 6


async def test_a_search_through_bodies_begins_before_items_whose_parent_has_gone(file: EventsFile) -> None:
    """The parent's row, pruned or not, says how far down its items may stand."""
    await put_and_split(file, 1, [item(11, b"needle")])
    await file.actions.hold(Filter(), now=NOW, dry_run=False)
    await file.retention.prune(RetentionSettings(bodies_days=1), now=NOW + 5 * DAY)
    await file.inbox.put(arrival(20, received_at=NOW + 5 * DAY))
    low, high = await file.log.reach(Filter(since=NOW))
    assert low <= 2 < high


@pytest.mark.parametrize("sql", [SELECT_ITEMS, SELECT_ANY_ITEM, SELECT_FIRST_PARENTS, SELECT_SLICE])
async def test_items_are_found_by_index(file: EventsFile, path: Path, sql: str) -> None:
    """Neither a timeline nor a proxy's look at what is settled reads what is stored."""
    await put_and_split(file, 1, [item(11)])
    values = [1] * sql.count("?")
    steps = [row[3] for row in query(path, f"EXPLAIN QUERY PLAN {sql}", *values)]
    events = [step for step in steps if " events" in step or " item " in step]
    assert events
    assert all(" INDEX events_" in step for step in events), steps
