"""What a person does: every action moves exactly what it applies to, dry or really, and says so."""

from functools import partial

import pytest

from store.log import Filter
from store.outbox import Plan
from store.settings import RetentionSettings
from store.sqlite import actions
from store.sqlite.events_file import EventsFile
from tests.store.make import NOW, arrival, delivery, event, failed, put_and_plan, settle_all
from touchpoints.delivery import DeliveryState
from touchpoints.event import Verdict
from touchpoints.moment import DAY
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio


async def states(file: EventsFile) -> list[str]:
    """The deliveries' states, in order of receipt."""
    listed = await file.log.events(Filter(), limit=100)
    return [each.state.value for one in reversed(listed) for each in one.deliveries]


async def in_every_state(file: EventsFile) -> None:
    """Five events: pending, held, delivered, given up, dismissed."""
    await put_and_plan(file, [arrival(number) for number in range(1, 6)])
    jobs = await file.outbox.claim(1, now=2**62, limit=9, max_bytes=100)
    await file.actions.hold(Filter(ids=(event(2).id,)), now=NOW, dry_run=False)
    await file.outbox.settle([failed(jobs[n].seq, state=DeliveryState.GIVEN_UP) for n in (3, 4)])
    await file.actions.dismiss(Filter(ids=(event(5).id,)), now=NOW, dry_run=False)
    await file.outbox.settle([failed(jobs[0].seq, due_at=NOW + DAY)])
    await settle_all(file)
    assert await states(file) == ["delivered", "held", "delivered", "given_up", "dismissed"]
    await put_and_plan(file, [arrival(6)], due_at=NOW + DAY)


@pytest.mark.parametrize(
    ("action", "after"),
    [
        ("hold", ["delivered", "held", "delivered", "given_up", "dismissed", "held"]),
        ("release", ["delivered", "pending", "delivered", "given_up", "dismissed", "pending"]),
        ("give_up", ["delivered", "given_up", "delivered", "given_up", "dismissed", "given_up"]),
        ("dismiss", ["delivered", "dismissed", "delivered", "dismissed", "dismissed", "pending"]),
        ("retry_now", ["delivered", "held", "delivered", "given_up", "dismissed", "pending"]),
    ],
)
async def test_an_action_moves_what_it_applies_to(file: EventsFile, action: str, after: list[str]) -> None:
    """Nothing leaves `delivered` or `dismissed`; a dry run says the same and changes nothing; a second run finds nothing."""
    await in_every_state(file)
    before = await states(file)
    act = getattr(file.actions, action)
    tried = await act(Filter(), now=NOW + 9, dry_run=True)
    assert await states(file) == before
    done = await act(Filter(), now=NOW + 9, dry_run=False)
    assert await states(file) == after
    assert (tried.changed, tried.ids) == (done.changed, done.ids)
    assert done.changed >= sum(a != b for a, b in zip(before, after, strict=True))
    assert (await act(Filter(), now=NOW + 9, dry_run=False)).changed == 0


async def test_released_and_retried_deliveries_are_due_at_once(file: EventsFile) -> None:
    """Both become due now, whatever their schedule said."""
    await in_every_state(file)
    await file.actions.release(Filter(), now=NOW + 9, dry_run=False)
    await file.actions.retry_now(Filter(), now=NOW + 9, dry_run=False)
    jobs = await file.outbox.claim(1, now=NOW + 9, limit=9, max_bytes=100)
    assert sorted(int(job.event.id) for job in jobs) == [2, 6]


async def test_what_an_action_does_not_apply_to_is_skipped(file: EventsFile) -> None:
    """Of events named by id those in another state are matched and skipped."""
    await in_every_state(file)
    named = Filter(ids=tuple(event(number).id for number in range(1, 7)))
    done = await file.actions.hold(named, now=NOW, dry_run=False)
    assert (done.matched, done.changed, done.skipped, done.ids) == (6, 1, 5, (delivery(event(6)).id,))


async def test_an_action_is_bounded_and_says_that_there_is_more(file: EventsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large filter is worked through by calling again; a dry run counts all of it."""
    monkeypatch.setattr(actions, "MOST", 4)
    monkeypatch.setattr(actions, "PART", 3)
    await put_and_plan(file, [arrival(number) for number in range(10)])
    tried = await file.actions.hold(Filter(touchpoint=1), now=NOW, dry_run=True)
    assert (tried.changed, tried.more) == (10, False)
    done = [await file.actions.hold(Filter(touchpoint=1), now=NOW, dry_run=False) for _ in range(3)]
    assert [(one.changed, one.more) for one in done] == [(4, True), (4, True), (2, False)]
    assert await states(file) == ["held"] * 10


async def test_filters_narrow_an_action(file: EventsFile) -> None:
    """Destination, delivery id, time and state each leave the others alone."""
    await put_and_plan(file, [arrival(1), arrival(2)], destinations=(1, 2))
    for which in (
        Filter(destination=2, until=NOW + 2),
        Filter(ids=(delivery(event(2), 1).id,)),
        Filter(state="given_up"),
        Filter(touchpoint=9),
        Filter(state="refused"),
    ):
        await file.actions.hold(which, now=NOW, dry_run=False)
    assert await states(file) == ["pending", "held", "held", "pending"]


async def test_refused_events_can_be_dismissed(file: EventsFile) -> None:
    """A dismissed refusal leaves "needs you" and stays in the log."""
    for number in (1, 2):
        await file.inbox.put(arrival(number, verdict=Verdict.REFUSED, reason="signature_wrong"))
    done = await file.actions.dismiss(Filter(ids=(event(1).id,)), now=NOW, dry_run=False)
    assert (done.changed, done.ids, (await file.log.backlog()).refused) == (1, (event(1).id,), 1)
    assert (await file.actions.dismiss(Filter(state="refused"), now=NOW, dry_run=True)).changed == 1
    assert (await file.actions.dismiss(Filter(state="refused"), now=NOW, dry_run=False)).changed == 1
    assert (await file.log.backlog()).refused == 0
    assert len(await file.log.events(Filter(state="refused"), limit=5)) == 2


async def test_a_refused_event_is_accepted_once(file: EventsFile) -> None:
    """Verified after all it waits in the inbox, with what was read out of it; a second time changes nothing."""
    await file.inbox.put(arrival(1, b"body", verdict=Verdict.REFUSED, reason="signature_wrong"))
    ((seq, refused, body),) = await file.actions.refused(Filter(), limit=5)
    assert (refused, body) == (arrival(1, b"body", verdict=Verdict.REFUSED, reason="signature_wrong").event, b"body")
    verified = event(1, b"body", event_type="a", dedup_key="k", reference="r", id_signed=False, hop=2)
    for _ in range(2):
        await file.actions.accept(seq, verified)
    (waiting,) = await file.inbox.take(limit=5)
    assert waiting.event == verified
    assert await file.actions.refused(Filter(), limit=5) == []


async def test_a_dismissed_refusal_can_still_be_accepted(file: EventsFile) -> None:
    """Its counters stay true, and it is dismissed no longer."""
    await file.inbox.put(arrival(1, verdict=Verdict.REFUSED, reason="no_secret"))
    await file.actions.dismiss(Filter(state="refused"), now=NOW, dry_run=False)
    await file.actions.accept(1, event(1))
    (listed,) = await file.log.events(Filter(), limit=5)
    assert (listed.waiting, listed.flags, (await file.log.backlog()).refused) == (True, (), 0)


async def test_a_new_run_is_added_once(file: EventsFile) -> None:
    """A replay's deliveries join the outbox, and the same ones again do not."""
    await put_and_plan(file, [arrival(1)])
    await settle_all(file)
    ((seq, replayed, deliveries),) = await file.actions.replayable(Filter(), limit=5)
    assert (replayed, [each.run for each in deliveries]) == (event(1), [1])
    for _ in range(2):
        await file.actions.add_run(seq, [delivery(replayed, run=2)])
    assert await states(file) == ["delivered", "pending"]


async def test_replayable_pages_and_leaves_out_what_cannot_be_replayed(file: EventsFile) -> None:
    """Duplicates can be run anyway; what waits, was refused or lost its body cannot."""
    await put_and_plan(file, [arrival(1)])
    await file.inbox.put(arrival(2, verdict=Verdict.REFUSED))
    await file.inbox.put(arrival(3))
    await file.outbox.plan([Plan(seq=3, filtered=True)])
    await file.inbox.put(arrival(4))
    first = await file.actions.replayable(Filter(), limit=1)
    second = await file.actions.replayable(Filter(), limit=5, after=first[-1][0])
    assert [seq for seq, _, _ in (*first, *second)] == [1, 3]


async def test_what_lost_its_body_is_not_run_again(file: EventsFile) -> None:
    """A new run of an event whose body was pruned is refused in words."""
    await put_and_plan(file, [arrival(1)])
    await settle_all(file)
    await file.retention.prune(RetentionSettings(bodies_days=1), now=NOW + 3 * DAY)
    assert await file.actions.replayable(Filter(), limit=5) == []
    for refusing in (partial(file.actions.add_run, 1, [delivery(event(1), run=2)]), partial(file.actions.accept, 1, event(1))):
        with pytest.raises(ProblemError) as caught:
            await refusing()
        assert caught.value.problems[0].code == "body_pruned"
