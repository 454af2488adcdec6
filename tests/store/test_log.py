"""The log: lists by key, counts without scans, and the export's rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from store.log import DestinationBacklog, ExportRow, Filter
from store.outbox import Plan
from store.sqlite import slices
from store.sqlite.counters import SELECT_ALL
from store.sqlite.events_file import EventsFile
from store.sqlite.export import COLUMNS, FROM
from store.sqlite.standing import SELECT_OLDEST
from tests.store.make import NOW, arrival, delivered, delivery, event, failed, put_and_plan, query, settle_all
from touchpoints.event import Verdict

pytestmark = pytest.mark.anyio

STATES = ("waiting", "pending", "held", "delivered", "given_up", "dismissed", "refused", "duplicate", "filtered")


async def one_of_each(file: EventsFile) -> None:
    """Nine events, numbered as STATES, each in another state; references are the states' names."""
    numbers = {name: number for number, name in enumerate(STATES, 1)}
    for name, number in numbers.items():
        refused = {"verdict": Verdict.REFUSED, "reason": "signature_wrong"} if name == "refused" else {}
        await file.inbox.put(arrival(number, b"body", reference=name, **refused))
    deliveries = {seq: (delivery(event(seq)),) for seq in range(1, 10)}
    plans = {seq: Plan(seq=seq, deliveries=deliveries[seq]) for seq in (2, 3, 5, 6)}
    plans[4] = Plan(seq=4, deliveries=deliveries[4], dedup_key="k")
    plans[8] = Plan(seq=8, deliveries=deliveries[8], dedup_key="k")
    plans[9] = Plan(seq=9, filtered=True)
    await file.outbox.plan([plans[seq] for seq in sorted(plans)])
    jobs = {job.event.reference: job.seq for job in await file.outbox.claim(1, now=2**62, limit=99, max_bytes=2**30)}
    await file.outbox.settle([failed(jobs["delivered"], due_at=NOW)])
    await file.outbox.settle([delivered(jobs["delivered"], 2)])
    await file.actions.hold(Filter(reference="held"), now=NOW, dry_run=False)
    for name in ("given_up", "dismissed"):
        await file.actions.give_up(Filter(reference=name), now=NOW, dry_run=False)
    await file.actions.dismiss(Filter(reference="dismissed"), now=NOW, dry_run=False)


async def references(file: EventsFile, which: Filter) -> list[str | None]:
    """What a list names, oldest first."""
    return [listed.event.reference for listed in reversed(await file.log.events(which, limit=100))]


async def exported(file: EventsFile, which: Filter, limit: int = 1000) -> list[ExportRow]:
    """Every export row, read `limit` at a time."""
    found: list[ExportRow] = []
    rows: Sequence[ExportRow] = ()
    while rows := await file.log.rows(which, limit=limit, after=rows[-1].cursor if rows else (0, 0, 0)):
        found += rows
    return found


@pytest.mark.parametrize("state", STATES[2:])
async def test_a_state_lists_and_exports_what_is_in_it(file: EventsFile, state: str) -> None:
    """Each state names its own event, in lists and in the export."""
    await one_of_each(file)
    assert await references(file, Filter(state=state)) == [state]
    rows = await exported(file, Filter(state=state))
    assert {(row.delivery_state, row.reference) for row in rows} == {(state, state)}
    assert await file.log.count_rows(Filter(state=state)) == len(rows)


async def test_pending_is_what_waits_in_either_queue(file: EventsFile) -> None:
    """An event in the inbox is pending without a destination."""
    await one_of_each(file)
    assert await references(file, Filter(state="pending")) == ["waiting", "pending"]
    rows = await exported(file, Filter(state="pending"))
    assert [(row.reference, row.destination) for row in rows] == [("waiting", None), ("pending", 1)]
    assert await references(file, Filter(state="pending", reference="pending")) == ["pending"]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
@pytest.mark.parametrize("width", [1, 4, 20_000])
async def test_the_export_has_a_row_an_attempt_and_one_for_what_was_never_tried(
    file: EventsFile, limit: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is sliced and paged, each row comes once, in order of receipt."""
    await one_of_each(file)
    monkeypatch.setattr(slices, "SLICE", width)
    rows = await exported(file, Filter(), limit)
    assert [(row.reference, row.delivery_state, row.attempt, row.outcome) for row in rows] == [
        ("waiting", "pending", 0, ""),
        ("pending", "pending", 0, ""),
        ("held", "held", 0, ""),
        ("delivered", "delivered", 1, "failed"),
        ("delivered", "delivered", 2, "delivered"),
        ("given_up", "given_up", 0, ""),
        ("dismissed", "dismissed", 0, ""),
        ("refused", "refused", 0, ""),
        ("duplicate", "duplicate", 0, ""),
        ("filtered", "filtered", 0, ""),
    ]
    assert await file.log.count_rows(Filter()) == len(rows)


async def test_an_export_row_tells_all_of_its_attempt(file: EventsFile) -> None:
    """Times, answers and errors of an attempt, and the reason of a refusal."""
    await one_of_each(file)
    first, second = await exported(file, Filter(reference="delivered"))
    assert (first.error_code, first.error, first.http_status, first.next_attempt_at) == (
        "http_status",
        "It answered 500.",
        500,
        NOW,
    )
    assert (second.duration, second.attempted_at, second.http_status, second.next_attempt_at) == (1500, NOW, 200, None)
    assert (first.event_id, first.delivery_id) == (event(4).id, delivery(event(4)).id)
    assert (first.arrived_by, first.run, first.body_bytes, first.received_at) == ("direct", 1, 4, NOW + 4)
    (refused,) = await exported(file, Filter(state="refused"))
    assert (refused.error_code, refused.delivery_id, refused.destination) == ("signature_wrong", None, None)


@pytest.mark.parametrize(
    ("which", "wanted"),
    [
        (Filter(ids=(event(3).id, delivery(event(5)).id)), ["held", "given_up"]),
        (Filter(reference="held"), ["held"]),
        (Filter(since=NOW + 3, until=NOW + 5), ["held", "delivered"]),
        (Filter(touchpoint=1), list(STATES)),
        (Filter(touchpoint=2), []),
        (Filter(destination=1), ["pending", "held", "delivered", "given_up", "dismissed"]),
        (Filter(destination=1, state="held", since=NOW), ["held"]),
        (Filter(destination=2), []),
    ],
)
@pytest.mark.parametrize("width", [2, 20_000])
async def test_filters_mean_the_same_in_lists_and_export(
    file: EventsFile, which: Filter, wanted: list[str], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of events and deliveries, reference, times, touchpoint and destination, together and apart."""
    await one_of_each(file)
    monkeypatch.setattr(slices, "SLICE", width)
    assert await references(file, which) == wanted
    assert list(dict.fromkeys(row.reference for row in await exported(file, which))) == wanted


async def test_test_events_are_listed_only_when_asked_for(file: EventsFile) -> None:
    """A test event is left out of lists, export and `last_events`, unless it is asked for or named."""
    await file.inbox.put(arrival(1, test=True, reference="t"))
    await file.outbox.plan([Plan(seq=1)])
    assert await references(file, Filter()) == [] == await exported(file, Filter())
    assert await references(file, Filter(tests=True)) == ["t"] == await references(file, Filter(ids=(event(1).id,)))
    (row,) = await exported(file, Filter(tests=True))
    assert row.delivery_state == "filtered"
    assert await file.log.last_events() == {}


async def test_lists_page_by_key(file: EventsFile) -> None:
    """Newest first, and `before` goes on where a page ended."""
    for number in range(1, 8):
        await file.inbox.put(arrival(number, dedup_key=f"key {number}"))
    first = await file.log.events(Filter(), limit=3)
    second = await file.log.events(Filter(), limit=3, before=first[-1].seq)
    assert [listed.seq for listed in (*first, *second)] == [7, 6, 5, 4, 3, 2]
    assert first[0].waiting
    assert [listed.seq for listed in await file.log.events(Filter(dedup_key="key 4"), limit=3)] == [4]


async def test_a_timeline_is_found_by_either_id(file: EventsFile) -> None:
    """An event's id and a delivery's id lead to the same timeline; an unknown one to none."""
    await one_of_each(file)
    by_event = await file.log.timeline(event(4).id)
    assert by_event is not None
    assert by_event == await file.log.timeline(delivery(event(4)).id)
    assert by_event.duplicates == (event(8).id,)
    assert [attempt.number for attempt in by_event.attempts] == [1, 2]
    assert (await file.log.timeline("unknown"), await file.log.body("unknown")) == (None, None)


async def test_the_backlog_counts_what_is_unsettled(file: EventsFile) -> None:
    """One in each state, and the age of the oldest that isn't given up."""
    await one_of_each(file)
    backlog = await file.log.backlog()
    assert (backlog.inbox, backlog.outbox, backlog.held, backlog.given_up, backlog.refused) == (1, 1, 1, 1, 1)
    assert backlog.oldest_at == NOW + 1
    assert await file.log.destinations() == {1: DestinationBacklog(pending=1, held=1, given_up=1)}
    assert await file.log.last_events() == {1: NOW + 9}


async def test_nothing_unsettled_has_no_age(file: EventsFile) -> None:
    """When all is delivered the backlog is empty."""
    await put_and_plan(file, [arrival(1)])
    await settle_all(file)
    backlog = await file.log.backlog()
    assert (backlog.inbox, backlog.outbox, backlog.oldest_at) == (0, 0, None)


@pytest.mark.parametrize(
    ("sql", "allowed"),
    [
        (SELECT_OLDEST, ("SEARCH", "LIST SUBQUERY", "SCALAR SUBQUERY")),
        (SELECT_ALL, ("SCAN counters",)),
        (
            f"SELECT {COLUMNS} {FROM} WHERE e.seq >= 1 AND e.seq < 9 ORDER BY e.seq, d.seq, a.place",
            ("SEARCH", "CORRELATED", "USE"),
        ),
    ],
)
async def test_counts_and_export_never_scan(file: EventsFile, path: Path, sql: str, allowed: tuple[str, ...]) -> None:
    """Counts read few rows by index, and the export reads by number; neither scans what is stored."""
    await one_of_each(file)
    steps: list[Any] = [row[3] for row in query(path, f"EXPLAIN QUERY PLAN {sql}")]
    assert all(step.startswith(allowed) or step.startswith("SEARCH") for step in steps), steps
    assert not any(step == "USE TEMP B-TREE FOR ORDER BY" for step in steps), steps


async def test_one_text_finds_ids_references_and_keys_with_their_last_attempts(file: EventsFile) -> None:
    """Each by itself, a delivery's id too; what nobody has finds nothing."""
    await one_of_each(file)
    of_delivery = delivery(event(4)).id.upper()
    for text, name in ((event(4).id, "delivered"), (of_delivery, "delivered"), ("held", "held"), ("k", "delivered")):
        found = await file.log.find(text, limit=5)
        assert [one.event.reference for one in found] == [name], text
    assert await file.log.find("nobody", limit=5) == []
    last = await file.log.last_attempts([4, 5])
    assert [(one.number, one.outcome) for one in last.values()] == [(2, "delivered")]


async def test_bodies_are_scanned_in_slices(file: EventsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends a slice, every body is looked at once, newest first, and those older than wanted not at all."""
    for number in range(1, 8):
        await file.inbox.put(arrival(number, b"a NEEDLE" if number % 3 == 1 else b"hay"))
    monkeypatch.setattr("store.sqlite.scan.SCAN_EVENTS", 2)
    monkeypatch.setattr("store.sqlite.scan.SCAN_BYTES", 8)
    found, looked, before, slices_read = [], 0, None, 0
    while slices_read == 0 or before is not None:
        part = await file.log.scan(b"needle", Filter(), before=before)
        found += [one.seq for one in part.found]
        looked, before, slices_read = looked + part.looked, part.next_before, slices_read + 1
    assert (found, looked) == ([7, 4, 1], 7)
    assert slices_read > 3
    assert (await file.log.scan(b"needle", Filter(since=NOW + 2**50))).next_before is None
