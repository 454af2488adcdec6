"""Retention: what may go goes, what is unsettled never does, and the file really shrinks."""

from pathlib import Path

import pytest

from store.log import Filter
from store.outbox import Plan
from store.settings import RetentionSettings
from store.sqlite import retention
from store.sqlite.events_file import EventsFile
from store.sqlite.pruning import SELECT_AGED, SELECT_REFUSED
from tests.store.make import NOW, arrival, delivery, event, put_and_plan, query, settle_all
from touchpoints.event import ArrivedBy, Verdict
from touchpoints.moment import DAY

pytestmark = pytest.mark.anyio
BODY = b"x" * 10_000


def disk_bytes(path: Path) -> int:
    """What the file and its log of writes take together."""
    return path.stat().st_size + path.with_name(path.name + "-wal").stat().st_size


async def unsettled_and_settled(file: EventsFile) -> None:
    """Events 1 to 5: waiting, pending, held, given up, delivered; 6 and 7 delivered to one of two destinations; 8 newest."""
    await put_and_plan(file, [arrival(5, BODY)])
    await settle_all(file)
    await put_and_plan(file, [arrival(number, BODY) for number in (6, 7)], destinations=(1, 2))
    await settle_all(file, 1)
    await put_and_plan(file, [arrival(number, BODY) for number in (2, 3, 4)], destinations=(3,))
    await file.actions.hold(Filter(ids=(event(3).id,)), now=NOW, dry_run=False)
    await file.actions.give_up(Filter(ids=(event(4).id, event(6).id)), now=NOW, dry_run=False)
    await file.inbox.put(arrival(1, BODY))
    await file.inbox.put(arrival(8, BODY))
    await file.outbox.plan([Plan(seq=8, deliveries=(delivery(event(8)),))])
    await settle_all(file)


@pytest.mark.parametrize(
    "policy",
    [
        RetentionSettings(bodies_days=1),
        RetentionSettings(bodies_days=0, log_days=0, refused_days=0, refused_size=0),
        RetentionSettings(size=1),
    ],
)
async def test_nothing_unsettled_is_ever_pruned(file: EventsFile, policy: RetentionSettings) -> None:
    """By age and by size: only what is settled at every destination loses its body."""
    await unsettled_and_settled(file)
    pruned = await file.retention.prune(policy, now=NOW + 1000 * DAY)
    assert pruned.bodies == 2
    kept = [number for number in range(1, 9) if await file.log.body(event(number).id) == BODY]
    assert kept == [1, 2, 3, 4, 6, 7]
    assert len(await file.outbox.claim(2, now=2**62, limit=9, max_bytes=2**30)) == 1
    assert len(await file.outbox.claim(3, now=2**62, limit=9, max_bytes=2**30)) == 1
    assert (await file.log.backlog()).inbox == 1


async def test_bodies_go_a_while_after_settling(file: EventsFile) -> None:
    """The days count from the last settling, not from receipt."""
    await put_and_plan(file, [arrival(1, BODY)])
    await settle_all(file, at=NOW + 10 * DAY)
    policy = RetentionSettings(bodies_days=3)
    assert (await file.retention.prune(policy, now=NOW + 12 * DAY)).bodies == 0
    assert (await file.retention.prune(policy, now=NOW + 14 * DAY)).bodies == 1
    assert await file.log.body(event(1).id) is None
    assert len(await file.log.rows(Filter(), limit=9)) == 1


async def test_the_log_goes_later_and_wholly(file: EventsFile, path: Path) -> None:
    """After `log_days` nothing of an event is left, except of the newest: its number must not be given again."""
    await put_and_plan(file, [arrival(number, BODY) for number in range(1, 4)])
    await settle_all(file)
    pruned = await file.retention.prune(RetentionSettings(bodies_days=1, log_days=10), now=NOW + 20 * DAY)
    assert (pruned.bodies, pruned.events) == (3, 2)
    counts = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM deliveries), (SELECT count(*) FROM attempts)"
    assert query(path, counts) == [(1, 1, 1)]
    assert query(path, "SELECT * FROM bodies") == []


async def test_refused_events_go_by_age_and_size(file: EventsFile) -> None:
    """The newest are kept within the size; what goes leaves its row, and dismissed ones keep the counters true."""
    for number in range(1, 6):
        refused = {"verdict": Verdict.REFUSED, "reason": "signature_wrong", "arrived_by": ArrivedBy.PROXY}
        await file.inbox.put(arrival(number, BODY, received_at=NOW + number * DAY, **refused))
    await file.actions.dismiss(Filter(ids=(event(3).id,)), now=NOW, dry_run=False)
    policy = RetentionSettings(refused_days=30, refused_size=3 * len(BODY))
    assert (await file.retention.prune(policy, now=NOW + 10 * DAY)).refused == 2
    assert (await file.retention.prune(policy, now=NOW + 34 * DAY + 1)).refused == 2
    assert (await file.log.backlog()).refused == 1
    rows = await file.log.rows(Filter(state="refused"), limit=9)
    assert [row.error_code for row in rows] == ["signature_wrong"] * 5


async def test_of_direct_refusals_only_a_sample_is_kept(file: EventsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their senders had their 401: beyond the sample nothing is left but the count."""
    monkeypatch.setattr(retention, "SAMPLE", 2)
    monkeypatch.setattr(retention, "SLICE", 2)
    for number in range(1, 8):
        await file.inbox.put(arrival(number, verdict=Verdict.REFUSED, reason="no_secret", touchpoint=number % 2))
    assert (await file.retention.prune(RetentionSettings(), now=NOW)).refused == 3
    rows = await file.log.rows(Filter(), limit=9)
    assert [int(row.event_id) for row in rows] == [4, 5, 6, 7]
    assert await file.log.refusals() == {(0, "no_secret"): 3, (1, "no_secret"): 4}


async def test_dedup_keys_are_forgotten_after_two_weeks(file: EventsFile, path: Path) -> None:
    """Claims and old counts of refusals go by their own age."""
    for number, age in ((1, 0), (2, 10 * DAY)):
        await file.inbox.put(arrival(number, received_at=NOW + age))
        await file.outbox.plan([Plan(seq=number, dedup_key=f"key {number}")])
    assert (await file.retention.prune(RetentionSettings(), now=NOW + 15 * DAY)).claims == 1
    assert query(path, "SELECT dedup_key FROM claims") == [("key 2",)]


async def test_above_the_size_the_oldest_settled_go_first(file: EventsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only as much goes as is needed, and it is told when what is left is unsettled."""
    monkeypatch.setattr(retention, "SLICE", 5)
    await put_and_plan(file, [arrival(number, BODY * 10) for number in range(1, 61)])
    await settle_all(file)
    pruned = await file.retention.prune(RetentionSettings(size=4_000_000), now=NOW + DAY)
    assert 20 <= pruned.bodies <= 40
    assert not pruned.exhausted
    kept = [
        int(listed.event.id) for listed in await file.log.events(Filter(), limit=99) if await file.log.body(listed.event.id)
    ]
    assert min(kept) == pruned.bodies + 1
    await put_and_plan(file, [arrival(99, b"x" * 5_000_000)])
    assert (await file.retention.prune(RetentionSettings(size=4_000_000), now=NOW + DAY)).exhausted


async def test_what_counts_besides_makes_more_go(file: EventsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much more as it takes, but never below half of the size."""
    monkeypatch.setattr(retention, "SLICE", 1)
    await put_and_plan(file, [arrival(number, BODY * 10) for number in range(1, 61)])
    await settle_all(file)
    used = []
    for beside in (0, 1_000_000, 9_000_000):
        assert not (await file.retention.prune(RetentionSettings(size=4_000_000), now=NOW + DAY, beside=beside)).exhausted
        used.append(await file.retention._used())
    assert used == [pytest.approx(most, abs=150_000) for most in (3_600_000, 2_600_000, 2_000_000)]


async def test_the_file_really_shrinks(file: EventsFile, path: Path) -> None:
    """What was pruned is given back to the disk, and the log of writes with it."""
    await put_and_plan(file, [arrival(number, BODY * 10) for number in range(1, 101)])
    await settle_all(file)
    before = disk_bytes(path)
    pruned = await file.retention.prune(RetentionSettings(bodies_days=1), now=NOW + 9 * DAY)
    after = disk_bytes(path)
    assert before > 10_000_000
    assert after < 1_000_000
    assert pruned.file_bytes <= after


@pytest.mark.parametrize("sql", [SELECT_AGED, SELECT_REFUSED])
async def test_retention_reads_by_index(file: EventsFile, path: Path, sql: str) -> None:
    """Looking for what may go reads a slice of an index and sorts nothing."""
    steps = [row[3] for row in query(path, f"EXPLAIN QUERY PLAN {sql}", *[1] * sql.count("?"))]
    assert all(step.startswith(("SEARCH", "CORRELATED")) for step in steps), steps


async def test_while_the_clock_cannot_be_believed_nothing_goes_by_its_age(file: EventsFile) -> None:
    """A clock that says next year erases nothing; only the size may ask for room."""
    await put_and_plan(file, [arrival(1, BODY)])
    await settle_all(file)
    pruned = await file.retention.prune(RetentionSettings(), now=NOW + 4000 * DAY, by_age=False)

    assert (pruned.bodies, pruned.events, pruned.claims) == (0, 0, 0)
    assert await file.log.body(event(1).id) == BODY
