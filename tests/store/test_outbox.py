"""The outbox: planned once, claimed per destination, settled in one transaction."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from store.inbox import StoreUnavailable
from store.log import Filter
from store.outbox import Next, Plan
from store.sqlite import outbox
from store.sqlite.events_file import EventsFile
from tests.store.make import NOW, arrival, delivered, delivery, failed, opened, put_and_plan, query, settle_all
from touchpoints.delivery import DeliveryState
from touchpoints.event import Verdict
from touchpoints.moment import DAY, SECOND
from touchpoints.retry import Health

pytestmark = pytest.mark.anyio
ALL: dict[str, Any] = {"now": 2**62, "limit": 100, "max_bytes": 2**30}


async def plan_key(file: EventsFile, number: int, *, body_hash: bytes | None = None, since: int = 0, **fields: Any) -> str:
    """Put an event and plan it with the dedup key `k`; the verdict it comes to."""
    await file.inbox.put(arrival(number, **fields))
    (waiting,) = await file.inbox.take(limit=1)
    plan = Plan(seq=waiting.seq, deliveries=(delivery(waiting.event),), dedup_key="k", dedup_since=since, dedup_hash=body_hash)
    await file.outbox.plan([plan])
    timeline = await file.log.timeline(waiting.event.id)
    assert timeline is not None
    assert len(timeline.listed.deliveries) == (1 if timeline.listed.event.verdict is Verdict.ACCEPTED else 0)
    return timeline.listed.event.verdict.value


async def test_a_planned_event_leaves_the_inbox_and_its_deliveries_are_due(file: EventsFile) -> None:
    """One transaction moves an event; a claim gives its delivery, event and body."""
    await put_and_plan(file, [arrival(1, b"body")], destinations=(1, 2))
    assert await file.inbox.waiting() == 0
    (job,) = await file.outbox.claim(2, **ALL)
    assert (job.body, job.event, job.delivery) == (b"body", arrival(1, b"body").event, delivery(arrival(1).event, 2))


async def test_planning_twice_changes_nothing(file: EventsFile) -> None:
    """A plan that is repeated, also within one call, adds no delivery."""
    await file.inbox.put(arrival(1))
    plan = Plan(seq=1, deliveries=(delivery(arrival(1).event),))
    await file.outbox.plan([plan, plan])
    await file.outbox.plan([plan])
    assert len(await file.outbox.claim(1, **ALL)) == 1


async def test_a_filtered_event_is_kept_as_such(file: EventsFile) -> None:
    """An event whose type nobody wants is in the log as filtered."""
    await file.inbox.put(arrival(1))
    await file.outbox.plan([Plan(seq=1, filtered=True)])
    (listed,) = await file.log.events(Filter(state="filtered"), limit=5)
    assert listed.event.verdict is Verdict.FILTERED


async def test_a_claimed_key_makes_a_duplicate(file: EventsFile) -> None:
    """The second event of a key is a duplicate of the first, and stands on its timeline."""
    assert [await plan_key(file, 1), await plan_key(file, 2), await plan_key(file, 3)] == ["accepted", "duplicate", "duplicate"]
    timeline = await file.log.timeline(arrival(1).event.id)
    assert timeline is not None
    assert timeline.duplicates == (arrival(2).event.id, arrival(3).event.id)
    (newest, *_) = await file.log.events(Filter(), limit=1)
    assert newest.duplicate_of == arrival(1).event.id


async def test_a_key_is_claimed_within_one_batch(file: EventsFile) -> None:
    """Two events of a key that are planned in one call: the first received one wins."""
    await file.inbox.put(arrival(1))
    await file.inbox.put(arrival(2))
    await file.outbox.plan([Plan(seq=n, deliveries=(delivery(arrival(n).event),), dedup_key="k") for n in (1, 2)])
    (job,) = await file.outbox.claim(1, **ALL)
    assert job.event.id == arrival(1).event.id


async def test_keys_belong_to_a_touchpoint(file: EventsFile) -> None:
    """The same key of another touchpoint is another key."""
    assert [await plan_key(file, 1), await plan_key(file, 2, touchpoint=2)] == ["accepted", "accepted"]


async def test_a_claim_outside_the_window_does_not_count(file: EventsFile) -> None:
    """A key claimed before `dedup_since` is claimed anew, and the new claim counts."""
    later: dict[str, Any] = {"received_at": NOW + DAY, "since": NOW + DAY // 2}
    assert [await plan_key(file, 1), await plan_key(file, 2, **later), await plan_key(file, 3, **later)] == [
        "accepted",
        "accepted",
        "duplicate",
    ]


async def test_an_unsigned_key_with_another_body_is_new_and_flagged(file: EventsFile) -> None:
    """Where the id isn't signed only the same body is a repeat: each new body is run once, flagged."""
    hashes = [b"a", b"b", b"b", b"a"]
    verdicts = [await plan_key(file, number, body_hash=body_hash) for number, body_hash in enumerate(hashes)]
    assert verdicts == ["accepted", "accepted", "duplicate", "duplicate"]
    listed = await file.log.events(Filter(), limit=5)
    assert [one.flags for one in reversed(listed)] == [(), ("same_id_other_body",), (), ()]
    assert [one.duplicate_of for one in listed] == [arrival(0).event.id, arrival(1).event.id, None, None]


async def test_an_order_key_is_refused_and_nothing_moves(file: EventsFile) -> None:
    """A delivery that no claim would find isn't taken in, and its event still waits."""
    await file.inbox.put(arrival(1))
    with pytest.raises(StoreUnavailable):
        await file.outbox.plan([Plan(seq=1, deliveries=(delivery(arrival(1).event, order_key="x"),))])
    assert await file.inbox.waiting() == 1


async def test_claims_are_by_due_time_then_order_of_receipt(file: EventsFile) -> None:
    """What is due first comes first, what isn't due does not come, and `skip` leaves out what is on its way."""
    await put_and_plan(file, [arrival(number) for number in range(4)], due_at=NOW)
    jobs = await file.outbox.claim(1, **ALL)
    await file.outbox.settle([failed(jobs[0].seq, due_at=NOW + 5), failed(jobs[3].seq, due_at=NOW + 4)])
    claimed = await file.outbox.claim(1, now=NOW + 4, limit=10, max_bytes=100, skip={jobs[1].seq})
    assert [job.seq for job in claimed] == [jobs[2].seq, jobs[3].seq]
    assert await file.outbox.next_due(1) == Next(due_at=NOW, body_bytes=2)
    assert await file.outbox.next_due(1, skip={jobs[1].seq, jobs[2].seq}) == Next(due_at=NOW + 4, body_bytes=2)
    assert await file.outbox.next_due(2) is None


async def test_a_claim_is_bounded_by_bytes_and_number(file: EventsFile) -> None:
    """Bodies stay within `max_bytes` together; the size of one that is larger alone is told by `next_due`."""
    await put_and_plan(file, [arrival(number, b"x" * 1000) for number in range(5)])
    sizes = [len(await file.outbox.claim(1, now=2**62, limit=10, max_bytes=room)) for room in (1, 999, 2500, 10_000)]
    assert sizes == [0, 0, 2, 5]
    assert await file.outbox.next_due(1) == Next(due_at=NOW, body_bytes=1000)
    assert len(await file.outbox.claim(1, now=2**62, limit=3, max_bytes=10_000)) == 3


async def test_settling_records_attempts_and_states(file: EventsFile) -> None:
    """A failure is pending again with its tries counted, a success is settled, each with its attempt."""
    await put_and_plan(file, [arrival(1)])
    await file.outbox.settle([failed(1, 1, due_at=NOW + SECOND)])
    uncounted = failed(1, 2, due_at=NOW + 2 * SECOND)
    await file.outbox.settle([type(uncounted)(seq=1, attempt=uncounted.attempt, state=uncounted.state, due_at=7, counts=False)])
    (job,) = await file.outbox.claim(1, **ALL)
    assert (job.delivery.attempts, job.delivery.tries, job.delivery.due_at) == (2, 1, 7)
    await file.outbox.settle([delivered(1, 3)])
    timeline = await file.log.timeline(job.delivery.id)
    assert timeline is not None
    assert [(attempt.number, attempt.outcome, attempt.http_status) for attempt in timeline.attempts] == [
        (1, "failed", 500),
        (2, "failed", 500),
        (3, "delivered", 200),
    ]
    assert timeline.listed.deliveries[0].state is DeliveryState.DELIVERED


async def test_a_repeated_settlement_changes_nothing(file: EventsFile) -> None:
    """After an unknown outcome the same settlement may be written again without counting twice."""
    await put_and_plan(file, [arrival(1)])
    for _ in range(2):
        await file.outbox.settle([failed(1, 1, due_at=NOW)])
    (job,) = await file.outbox.claim(1, **ALL)
    assert (job.delivery.attempts, job.delivery.tries) == (1, 1)


@pytest.mark.parametrize(
    ("action", "settlement", "state"),
    [
        ("hold", delivered(1), "delivered"),
        ("hold", failed(1, due_at=9), "held"),
        ("give_up", delivered(1), "delivered"),
        ("give_up", failed(1, due_at=9), "given_up"),
        ("dismiss", delivered(1), "dismissed"),
    ],
)
async def test_what_a_person_decided_meanwhile_stays(file: EventsFile, action: str, settlement: Any, state: str) -> None:
    """An attempt that ends after a person moved the delivery is recorded; only a delivery that arrived is delivered."""
    await put_and_plan(file, [arrival(1)])
    await file.outbox.claim(1, **ALL)
    if action == "dismiss":
        await file.actions.hold(Filter(), now=NOW, dry_run=False)
    await getattr(file.actions, action)(Filter(), now=NOW, dry_run=False)
    await file.outbox.settle([settlement])
    timeline = await file.log.timeline(arrival(1).event.id)
    assert timeline is not None
    assert (timeline.listed.deliveries[0].state, len(timeline.attempts)) == (state, 1)


async def test_health_is_kept_over_restarts(path: Path) -> None:
    """The last health of each destination comes back as it was given, in the transaction of the attempts."""
    down = Health(destination=1, failures=3, down_since=NOW, probe_at=NOW + 9, error_code="timeout", error="Slow.", ramp=2)
    async with opened(path) as file:
        await put_and_plan(file, [arrival(1)])
        await file.outbox.settle([failed(1)], Health(destination=1, failures=1))
        await file.outbox.settle([], down)
        await file.outbox.settle([], Health(destination=2))
    async with opened(path) as file:
        assert await file.outbox.health() == [down, Health(destination=2)]


async def test_an_incomplete_body_is_never_sent(file: EventsFile) -> None:
    """A body that lost a part is claimed, so that it keeps no other from being sent, and is told by its hash."""
    await put_and_plan(file, [arrival(1, b"x" * 2_000_000)])
    await file._writer.run(lambda db: db.execute("DELETE FROM bodies WHERE place = ?", ((1 << 16) + 1,)) and None)
    (job,) = await file.outbox.claim(1, **ALL)
    assert len(job.body) < job.event.body_bytes
    assert hashlib.sha256(job.body).digest() != job.event.body_hash


@pytest.mark.parametrize("sql", [outbox.SELECT_DUE, outbox.SELECT_DUE_SIZES, outbox.SELECT_JOBS, outbox.SELECT_JOB_BYTES])
async def test_a_claim_reads_by_index_alone(file: EventsFile, path: Path, sql: str) -> None:
    """No claim scans a table or sorts, so that a million rows of a dead destination cost the others nothing."""
    steps = [row[3] for row in query(path, f"EXPLAIN QUERY PLAN {sql}", *[1] * sql.count("?"))]
    assert steps
    assert all(step.startswith(("SEARCH", "SCAN j VIRTUAL TABLE")) for step in steps), steps


async def test_a_destination_is_not_delayed_by_the_rows_of_another(file: EventsFile) -> None:
    """With many rows of a dead destination a claim of the living one takes no more steps of SQLite's machine."""

    async def steps() -> int:
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        def work(db: Any) -> None:
            db.set_progress_handler(step, 1)
            outbox.select_jobs(db, destination=2, now=2**62, limit=10, max_bytes=2**30, skip=frozenset())
            outbox.select_next_due(db, destination=2, skip=frozenset())
            db.set_progress_handler(None, 0)

        await file._readers.run(work)
        return count

    await put_and_plan(file, [arrival(number) for number in range(10)], destinations=(2,))
    await steps()  # prepares the statements
    before = await steps()
    dead = [(1, delivery(arrival(0).event, 1, run=run)) for run in range(5_000)]
    await file._writer.run(lambda db: outbox.insert_deliveries(db, dead, file._deliveries))
    assert await steps() == before
    assert await settle_all(file, 2) == 10


async def test_one_batch_decides_as_single_plans_would(tmp_path: Path) -> None:
    """Repeats, windows, touchpoints, unsigned keys and filtered events come to the same planned together or one by one."""
    put = [
        arrival(n, touchpoint=1 + n % 2, received_at=NOW + (DAY if n > 20 else 0) + n, verdict=Verdict.ACCEPTED)
        for n in range(1, 41)
    ]

    def plan(n: int) -> Plan:
        return Plan(
            seq=n,
            deliveries=() if n % 11 == 0 else (delivery(put[n - 1].event),),
            filtered=n % 11 == 0,
            dedup_key=None if n % 11 == 0 else f"k{n % 7}" if n % 3 else f"alone {n}",
            dedup_since=NOW + DAY // 2 if n % 5 == 0 else 0,
            dedup_hash=bytes([n % 4]) if n % 2 else None,
        )

    found = []
    for name, size in (("one.db", 1), ("seven.db", 7), ("all.db", 40)):
        async with opened(tmp_path / name) as file:
            for each in put:
                await file.inbox.put(each)
            for at in range(1, 41, size):
                await file.outbox.plan([plan(n) for n in range(at, min(at + size, 41))])
        events = query(tmp_path / name, "SELECT seq, verdict, duplicate_of, flags FROM events ORDER BY seq")
        claims = query(tmp_path / name, "SELECT * FROM claims ORDER BY 1, 2, 3")
        found.append((events, claims, query(tmp_path / name, "SELECT * FROM deliveries ORDER BY seq")))
    assert found[0] == found[1] == found[2]
    assert {row[1] for row in found[0][0]} == {"accepted", "duplicate", "filtered"}
    assert any(row[3] for row in found[0][0])


async def test_several_settlements_of_a_delivery_in_one_call_follow_each_other(file: EventsFile) -> None:
    """Two attempts recorded together come to what they would have come to one after the other."""
    await put_and_plan(file, [arrival(1)])
    await file.outbox.settle([failed(1, 1, due_at=5), failed(1, 1, due_at=5), delivered(1, 2)])
    timeline = await file.log.timeline(arrival(1).event.id)
    assert timeline is not None
    (settled,) = timeline.listed.deliveries
    assert (settled.state, settled.attempts, settled.tries) == (DeliveryState.DELIVERED, 2, 2)
    assert len(timeline.attempts) == 2
