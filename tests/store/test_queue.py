"""The contract of a proxy's queue, whatever keeps it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.inbox import StoreUnavailable
from store.queue import LEASE, Quota, QuotaReached, Unsettled
from store.sqlite.database import AiosqliteDatabase, InlineDatabase
from tests.store.queue_kit import ACME, NOW, OTHER, ROOMY, Place, fill, parcel, pulled, sqlite_place
from touchpoints.moment import DAY, HOUR, SECOND
from touchpoints.problem import ProblemError
from touchpoints.pull.message import Backlog

pytestmark = pytest.mark.anyio

PLACES = {
    "aiosqlite": lambda folder: sqlite_place(folder, AiosqliteDatabase.open),
    "inline": lambda folder: sqlite_place(folder, InlineDatabase.open),
}


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty queue of each kind."""
    async with PLACES[request.param](tmp_path) as made:
        yield made


async def acknowledged(place: Place, to: int, *, agent: str = "a", epoch: int = 1, now: int = NOW) -> tuple[bool, bool, int]:
    """(accepted, known, position) of an acknowledgement."""
    incarnation = (await place.queue.lease_of(ACME, now=now)).incarnation
    found = await place.queue.acknowledge(ACME, agent, incarnation=incarnation, epoch=epoch, to=to, now=now, steady=now)
    return found.accepted, found.known, found.position


async def test_what_is_put_is_pulled_in_order(place: Place) -> None:
    """Bytes, ids, times and wrapped keys come back; a pull takes nothing away, and outlives a restart."""
    bodies = [b"", b"x", b"y" * 2_400_000, b"z" * 1024 * 1024]
    for number, data in enumerate(bodies, 1):
        await place.queue.put(parcel(number, data), ROOMY)
    await place.reopen()
    for _ in range(2):
        found = await place.queue.pull(ACME, after=0, limit=10, max_bytes=2**40)
        assert [message.data for message in found.messages] == bodies
        assert [message.seq for message in found.messages] == [1, 2, 3, 4]
        assert found.messages[2].digest == parcel(3, bodies[2]).digest
        assert (found.messages[3].received_at, found.messages[3].id) == (NOW + 4, f"{4:026d}")
        assert (found.keys, found.more) == ({"key": b"wrapped"}, False)


async def test_a_pull_is_bounded_and_never_empty(place: Place) -> None:
    """Limit and bytes bound it; one event that is larger than the bound comes by itself."""
    for number, size in enumerate((10, 10, 5000, 10), 1):
        await place.queue.put(parcel(number, b"x" * size), ROOMY)
    seen, after = [], 0
    for more in (True, True, True, False):
        found = await place.queue.pull(ACME, after=after, limit=2, max_bytes=15)
        seen.append([message.seq for message in found.messages])
        assert found.more is more
        after = found.messages[-1].seq
    assert seen == [[1], [2], [3], [4]]
    assert len((await place.queue.pull(ACME, after=0, limit=0, max_bytes=0)).messages) == 1
    assert (await place.queue.pull(ACME, after=4, limit=9, max_bytes=9)).messages == ()


async def test_a_put_is_idempotent(place: Place) -> None:
    """The same id, one after another, at once, after a restart and with the quota full: one event."""
    await asyncio.gather(*[place.queue.put(parcel(1), ROOMY) for _ in range(3)])
    await place.reopen()
    await asyncio.gather(place.queue.put(parcel(1), ROOMY), place.queue.put(parcel(2), ROOMY))
    await place.queue.put(parcel(2), Quota(events=2, bytes=100))
    assert [number for _, number in await pulled(place.queue)] == [1, 2]
    assert (await place.queue.backlog(ACME)).events == 2


async def test_a_repeat_takes_no_room_from_another(place: Place) -> None:
    """At the border of the quota a repeat in the same commit counts for nothing."""
    await place.queue.put(parcel(1), ROOMY)
    quota = Quota(events=2, bytes=100)
    results = await asyncio.gather(*[place.queue.put(parcel(number), quota) for number in (1, 2, 3, 2)], return_exceptions=True)
    assert [type(result) for result in results] == [type(None), type(None), QuotaReached, type(None)]


async def test_a_full_organisation_fills_no_other(place: Place) -> None:
    """Who has no room is told alone; those in the same commit are stored, and room comes back with an acknowledgement."""
    small = Quota(events=2, bytes=1000)
    puts = [place.queue.put(parcel(number), small) for number in range(1, 5)]
    puts += [place.queue.put(parcel(number, organisation=OTHER), small) for number in (1, 2)]
    puts += [place.queue.put(parcel(9, b"x" * 1001, organisation=OTHER), Quota(events=9, bytes=1000))]
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert [isinstance(result, QuotaReached) for result in results] == [False, False, True, True, False, False, True]
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    assert await acknowledged(place, 1) == (True, True, 1)
    await place.queue.put(parcel(5), small)
    assert [number for _, number in await pulled(place.queue)] == [2, 5]
    assert await place.queue.backlogs() == {
        ACME: Backlog(events=2, bytes=12, oldest=NOW + 2),
        OTHER: Backlog(events=2, bytes=12, oldest=NOW + 1),
    }


async def test_an_event_without_its_key_is_refused_alone(place: Place) -> None:
    """What nobody could ever open is not accepted; others in the same commit are."""
    results = await asyncio.gather(
        place.queue.put(parcel(1, key_id="never stored"), ROOMY), place.queue.put(parcel(2), ROOMY), return_exceptions=True
    )
    assert isinstance(results[0], StoreUnavailable)
    assert results[1] is None
    assert [number for _, number in await pulled(place.queue)] == [2]


async def test_one_holds_the_lease(place: Place) -> None:
    """The first takes it, another is told who has it, and takes it over when it was given back or has run out."""
    first = await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    assert (first.agent, first.epoch, first.seconds) == ("a", 1, 60.0)
    second = await place.queue.lease(ACME, "b", epoch=0, now=NOW + 10 * SECOND)
    assert (second.agent, second.epoch, second.seconds) == ("a", 1, 50.0)
    renewed = await place.queue.lease(ACME, "a", epoch=1, now=NOW + 20 * SECOND)
    assert (renewed.agent, renewed.epoch, renewed.seconds) == ("a", 1, 60.0)
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW + 79 * SECOND)).agent == "a"
    taken = await place.queue.lease(ACME, "b", epoch=0, now=NOW + 80 * SECOND)
    assert (taken.agent, taken.epoch) == ("b", 2)
    assert (await place.queue.lease(ACME, "a", epoch=1, now=NOW + 81 * SECOND)).agent == "b"
    await place.queue.release(ACME, "a", epoch=1)
    await place.queue.release(ACME, "b", epoch=1)
    assert (await place.queue.lease(ACME, "a", epoch=1, now=NOW + 82 * SECOND)).agent == "b"
    await place.queue.release(ACME, "b", epoch=2)
    back = await place.queue.lease(ACME, "a", epoch=1, now=NOW + 83 * SECOND)
    assert (back.agent, back.epoch) == ("a", 3)


async def test_a_late_holder_keeps_a_lease_nobody_took(place: Place) -> None:
    """Run out or not: where no other asked for it, neither epoch nor acknowledgements are lost."""
    await fill(place.queue, 3)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    assert await acknowledged(place, 1, now=NOW + HOUR) == (True, True, 1)
    assert (await place.queue.lease(ACME, "a", epoch=1, now=NOW + 2 * HOUR)).epoch == 1


async def test_a_holder_that_forgot_its_epoch_gets_a_new_one(place: Place) -> None:
    """An agent that was restarted holds the lease under a new epoch, and the old one is lost to it."""
    await fill(place.queue, 3)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    assert (await place.queue.lease(ACME, "a", epoch=0, now=NOW)).epoch == 2
    assert await acknowledged(place, 2, epoch=1) == (False, True, 0)
    assert await acknowledged(place, 2, epoch=2) == (True, True, 2)


async def test_only_one_of_many_takes_a_lease(place: Place) -> None:
    """However many ask at once."""
    leases = await asyncio.gather(*[place.queue.lease(ACME, f"agent {n}", epoch=0, now=NOW) for n in range(8)])
    assert len({(lease.agent, lease.epoch) for lease in leases}) == 1


async def test_a_restart_gives_the_holder_the_whole_span(place: Place) -> None:
    """A renewal is not written down, so the proxy's restart must not end a lease."""
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await place.reopen()
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW + DAY)).agent == "a"
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW + DAY + LEASE)).agent == "b"


async def test_a_clock_set_back_prolongs_no_lease(place: Place) -> None:
    """It lasts a minute from any look at it, however far the clock went back."""
    await place.queue.lease(ACME, "a", epoch=0, now=NOW + DAY)
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW)).seconds == 60.0
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW + LEASE)).agent == "b"


async def test_an_acknowledgement_moves_the_position(place: Place) -> None:
    """Never back, never beyond what was numbered, and a repeat gives the same answer."""
    await fill(place.queue, 5)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    assert await acknowledged(place, 3) == (True, True, 3)
    assert await acknowledged(place, 3) == (True, True, 3)
    assert await acknowledged(place, 1) == (True, True, 3)
    assert [seq for seq, _ in await pulled(place.queue)] == [4, 5]
    assert await acknowledged(place, 10**6) == (True, True, 5)
    assert await place.queue.backlog(ACME) == Backlog()
    await fill(place.queue, 1, first=6)
    assert [seq for seq, _ in await pulled(place.queue)] == [6]


async def test_every_epoch_keeps_its_final_position(place: Place) -> None:
    """An answer that was lost can be asked for after the lease moved, and moved again, and after restarts."""
    await fill(place.queue, 9)
    for agent, epoch, to in (("a", 1, 3), ("b", 2, 3), ("a", 3, 7), ("b", 4, 8)):
        lease = await place.queue.lease(ACME, agent, epoch=0, now=NOW + epoch * HOUR)
        assert (lease.agent, lease.epoch) == (agent, epoch)
        await acknowledged(place, to, agent=agent, epoch=epoch)
    await place.reopen()
    assert [await acknowledged(place, 9, agent="a", epoch=epoch) for epoch in (1, 2, 3)] == [
        (False, True, 3),
        (False, True, 3),
        (False, True, 7),
    ]
    assert await acknowledged(place, 9, agent="a", epoch=4) == (False, True, 8)
    assert await acknowledged(place, 9, agent="a", epoch=5) == (False, False, 0)
    await place.queue.release(ACME, "b", epoch=4)
    assert await acknowledged(place, 9, agent="b", epoch=4) == (False, True, 8)
    found = await place.queue.acknowledge(ACME, "a", incarnation="another", epoch=1, to=9, now=NOW, steady=NOW)
    assert (found.accepted, found.known, found.incarnation) == (False, False, "incarnation-1")


async def test_unsettled_is_told_by_agent(place: Place) -> None:
    """What an agent acknowledged counts until it reports it as settled, also out of order."""
    await fill(place.queue, 10)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await acknowledged(place, 4)
    assert await place.queue.unsettled(ACME) == [Unsettled(agent="a", events=4, first=1, last=4)]
    await place.queue.settled(ACME, "a", settled=1, unsettled=2, now=NOW)
    assert await place.queue.unsettled(ACME) == [Unsettled(agent="a", events=2, first=2, last=4)]
    await place.queue.release(ACME, "a", epoch=1)
    await place.queue.lease(ACME, "b", epoch=0, now=NOW)
    await acknowledged(place, 7, agent="b", epoch=2)
    await place.queue.settled(ACME, "b", settled=7, unsettled=0, now=NOW + 1)
    await place.reopen()
    assert await place.queue.unsettled(ACME) == [Unsettled(agent="a", events=2, first=2, last=4)]
    assert await place.queue.unsettled(OTHER) == []


async def test_a_dead_agents_events_are_taken_over(place: Place) -> None:
    """Under new numbers and the same ids, once its lease has run out; what it had settled stays."""
    await fill(place.queue, 6)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await acknowledged(place, 4)
    await place.queue.settled(ACME, "a", settled=1, unsettled=3, now=NOW)
    with pytest.raises(ProblemError) as caught:
        await place.queue.take_over(ACME, "a", now=NOW + DAY, steady=NOW + SECOND)
    assert caught.value.problems[0].code == "agent_holds_lease"
    later = NOW + 2 * LEASE
    assert await place.queue.take_over(ACME, "a", now=NOW, steady=later) == 3
    assert await place.queue.take_over(ACME, "a", now=NOW, steady=later) == 0
    assert await pulled(place.queue) == [(5, 5), (6, 6), (7, 2), (8, 3), (9, 4)]
    assert await place.queue.unsettled(ACME) == []
    assert await acknowledged(place, 6) == (False, True, 4)
    assert (await place.queue.lease(ACME, "b", epoch=0, now=later)).epoch == 2


async def test_seeking_back_queues_again(place: Place) -> None:
    """What was acknowledged and is kept comes again; what waits keeps its place before it."""
    await fill(place.queue, 5)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await acknowledged(place, 4)
    assert await place.queue.seek(ACME, to=2, now=NOW) == 2
    assert await pulled(place.queue) == [(5, 5), (6, 3), (7, 4)]
    assert (await place.queue.backlog(ACME)).events == 3
    await place.queue.put(parcel(3), ROOMY)
    assert len(await pulled(place.queue)) == 3


async def test_a_restored_lane_goes_on_beyond(place: Place) -> None:
    """No number comes again, its lease ends, what the lost one may have accepted is not known, and the gap is told."""
    await fill(place.queue, 3)
    await fill(place.queue, 2, organisation=OTHER)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await acknowledged(place, 1)
    await place.queue.release(ACME, "a", epoch=1)
    old = (await place.queue.lease(ACME, "b", epoch=0, now=NOW)).incarnation
    await place.queue.reincarnate(ACME, "restored", beyond=41, now=NOW)
    await place.queue.reincarnate(7, "a lane that was lost", beyond=5, now=NOW)
    assert (await place.queue.lease_of(ACME, now=NOW)).agent == ""
    await place.reopen()
    gaps = [(await place.queue.lease_of(number, now=NOW)).gap for number in (ACME, OTHER, 7, 8)]
    assert gaps == [(4, 41), None, (1, 5), None]
    await fill(place.queue, 1, first=10)
    assert await pulled(place.queue) == [(2, 2), (3, 3), (42, 10)]

    async def asked(epoch: int, agent: str, to: int = 3) -> tuple[bool, bool, int]:
        found = await place.queue.acknowledge(ACME, agent, incarnation=old, epoch=epoch, to=to, now=NOW, steady=NOW)
        return found.accepted, found.known, found.position

    assert await asked(1, "a") == (False, True, 1)  # had ended before the backup
    assert await asked(1, "a", 4) == (False, False, 0)  # an epoch of that number came after it, too: 4 was never given here
    assert await asked(2, "b") == (False, False, 0)
    assert await asked(9, "b") == (False, False, 0)
    lease = await place.queue.lease(ACME, "b", epoch=2, now=NOW)
    assert (lease.agent, lease.incarnation, lease.acknowledged, lease.next_seq) == ("b", "restored", 1, 43)
    assert lease.epoch > 1_000_000
    assert await acknowledged(place, 42, agent="b", epoch=lease.epoch) == (True, True, 42)
    assert (await place.queue.lease_of(OTHER, now=NOW)).incarnation == old


async def test_a_restored_lane_that_went_on_is_known_by_its_events(place: Place) -> None:
    """Its numbers passed what an agent had seen before anybody asked: another event has the number, and what waits moves on."""
    await fill(place.queue, 4)
    old = (await place.queue.lease(ACME, "a", epoch=0, now=NOW)).incarnation
    await acknowledged(place, 1)
    for seen, seen_id, fits in ((3, f"{3:026d}", True), (9, f"{3:026d}", True), (3, "", True), (3, f"{7:026d}", True)):
        assert await place.queue.fits(ACME, "a", seen=seen, seen_id=seen_id) is fits  # the last one: looked up once
    assert not await place.queue.fits(ACME, "b", seen=3, seen_id=f"{7:026d}")

    async def asked(to: int, number: int) -> tuple[bool, bool, int]:
        found = await place.queue.acknowledge(
            ACME, "a", incarnation=old, epoch=1, to=to, event_id=f"{number:026d}", now=NOW, steady=NOW
        )
        return found.accepted, found.known, found.position

    assert await asked(3, 7) == (False, False, 0)
    assert await pulled(place.queue) == [(2, 2), (3, 3), (4, 4)]
    await place.queue.reincarnate(ACME, "restored", beyond=3, now=NOW)
    assert await asked(3, 7) == (False, False, 0)
    assert (await place.queue.lease_of(ACME, now=NOW)).gap == (2, 3)
    await fill(place.queue, 1, first=10)
    assert await pulled(place.queue) == [(5, 2), (6, 3), (7, 4), (8, 10)]
    assert (await place.queue.backlog(ACME)).events == 4


async def test_nobody_reaches_the_end_of_the_numbers(place: Place) -> None:
    """Whatever an agent says it has seen."""
    await place.queue.reincarnate(ACME, "lied to", beyond=2**62, now=NOW)
    await fill(place.queue, 1)
    assert await pulled(place.queue) == [(2**40 + 1, 1)]


async def test_a_restored_file_leaps(place: Place) -> None:
    """Every lane is another from then on; one that is made later begins beyond what a lost one may have given out."""
    await fill(place.queue, 2)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    names = iter(("one", "two", "three"))
    await place.queue.reincarnate_all(lambda: next(names), now=NOW)
    lease = await place.queue.lease(ACME, "b", epoch=0, now=NOW)
    assert lease.gap == (3, 100_000_000_002)
    assert (lease.agent, lease.incarnation, lease.next_seq) == ("b", "one", 100_000_000_003)
    await fill(place.queue, 1, organisation=OTHER)
    lease = await place.queue.lease(OTHER, "a", epoch=0, now=NOW)
    assert (lease.epoch, lease.next_seq, lease.incarnation) == (100_000_000_001, 100_000_000_002, "two")
    await place.queue.release(OTHER, "a", epoch=lease.epoch)
    found = await place.queue.acknowledge(OTHER, "a", incarnation="two", epoch=lease.epoch, to=9, now=NOW, steady=NOW)
    assert (found.accepted, found.known, found.position) == (False, True, 0)


async def test_who_holds_a_lease_can_be_seen(place: Place) -> None:
    """Without taking or renewing it; one that ran out is nobody's."""
    assert (await place.queue.lease_of(ACME, now=NOW)).agent == ""
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    for seconds, agent in ((59, "a"), (60, "")):
        assert (await place.queue.lease_of(ACME, now=NOW + seconds * SECOND)).agent == agent
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW + LEASE)).agent == "b"
    assert (await place.queue.lease_of(ACME, now=NOW + LEASE)).agent == "b"
    await place.queue.release(ACME, "b", epoch=2)
    assert (await place.queue.lease_of(ACME, now=NOW + LEASE)).agent == ""


async def test_a_lease_and_an_age_have_clocks_of_their_own(place: Place) -> None:
    """A steady clock that begins at nothing decides on leases, the wall clock on what is old."""
    await fill(place.queue, 2)
    await place.queue.lease(ACME, "a", epoch=0, now=5)
    await place.queue.acknowledge(ACME, "a", incarnation="incarnation-1", epoch=1, to=1, now=NOW, steady=30 * SECOND)
    assert (await place.queue.lease_of(ACME, now=80 * SECOND)).agent == "a"
    assert await place.queue.expire(before=NOW, acknowledged_before=NOW, limit=10) == {}
    assert len([message async for found in place.queue.export(ACME) for message in found.messages]) == 2


async def test_a_span_begins_with_an_acknowledgement_too(place: Place) -> None:
    """After a restart, when nobody has looked at the lease before."""
    await fill(place.queue, 2)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await place.reopen()
    await place.queue.acknowledge(ACME, "a", incarnation="incarnation-1", epoch=1, to=1, now=NOW, steady=NOW)
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW + LEASE - 1)).agent == "a"
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW + LEASE)).agent == "b"


async def test_what_is_old_goes(place: Place) -> None:
    """What waited too long is counted, what was acknowledged goes silently after its days, the rest stays."""
    await fill(place.queue, 4)
    await place.queue.put(parcel(5, received_at=NOW + DAY), ROOMY)
    await fill(place.queue, 1, organisation=OTHER)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await acknowledged(place, 1)
    await acknowledged(place, 2, now=NOW + 5 * HOUR)
    early = NOW - DAY
    assert await place.queue.expire(before=early, acknowledged_before=NOW + 2 * HOUR, limit=1) == {}
    assert [message.seq async for found in place.queue.export(ACME) for message in found.messages] == [2, 3, 4, 5]
    assert await place.queue.expire(before=NOW + HOUR, acknowledged_before=early, limit=1) == {ACME: 2, OTHER: 1}
    assert [message.seq async for found in place.queue.export(ACME) for message in found.messages] == [2, 5]
    assert await place.queue.backlog(ACME) == Backlog(events=1, bytes=6, oldest=NOW + DAY)
    await place.reopen()
    assert await place.queue.expire(before=NOW + 3 * DAY, acknowledged_before=NOW + 3 * DAY, limit=100) == {ACME: 1}
    await place.queue.put_key(ACME, "key", b"wrapped", now=NOW)  # the old one opened nothing any more
    await fill(place.queue, 1, first=6)
    assert await pulled(place.queue) == [(6, 6)]


async def test_what_was_queued_again_has_its_whole_age(place: Place) -> None:
    """A person who asked for an old event again gets it."""
    await fill(place.queue, 1)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await acknowledged(place, 1)
    await place.queue.seek(ACME, to=0, now=NOW + 10 * DAY)
    assert await place.queue.expire(before=NOW + 9 * DAY, acknowledged_before=NOW, limit=10) == {}
    assert await pulled(place.queue) == [(2, 1)]


async def test_a_late_agent_is_told_the_truth_of_its_last_lease(place: Place) -> None:
    """Whatever came and went since, and however long ago: what it has it runs, what others had it does not."""
    await fill(place.queue, 50)
    for epoch in range(1, 21):  # each of ten takes two, then another; the last one is away from its second lease on
        agent = f"agent-{epoch % 10}"
        await place.queue.lease(ACME, agent, epoch=0, now=NOW)
        assert await acknowledged(place, 2 * epoch, agent=agent, epoch=epoch) == (True, True, 2 * epoch)
        await place.queue.release(ACME, agent, epoch=epoch)
    await place.queue.expire(before=NOW, acknowledged_before=NOW + DAY, limit=3)
    for late in range(11, 21):
        agent = f"agent-{late % 10}"
        assert await acknowledged(place, 2 * late + 1, agent=agent, epoch=late) == (False, True, 2 * late)
        accepted, known, position = await acknowledged(place, 39, agent=agent, epoch=late - 10)  # of an older folder
        assert (accepted, known, position <= 2 * (late - 10)) == (False, True, True)


async def test_a_lease_whose_end_was_lost_is_never_taken_for_another(place: Place) -> None:
    """Nor any other for it: before the restore and after it each agent gets its own answer, when all the rest is forgotten."""
    await fill(place.queue, 6)
    for epoch, agent in ((1, "a"), (2, "b"), (3, "a"), (4, "b")):
        await place.queue.lease(ACME, agent, epoch=0, now=NOW)
        assert await acknowledged(place, epoch, agent=agent, epoch=epoch) == (True, True, epoch)
        if epoch < 4:  # its end comes after the backup
            await place.queue.release(ACME, agent, epoch=epoch)
    await place.queue.reincarnate(ACME, "second", beyond=50, now=NOW)
    await fill(place.queue, 6, first=7)
    later = []
    for more, agent in enumerate("cdcd"):
        epoch = (await place.queue.lease(ACME, agent, epoch=0, now=NOW)).epoch
        told = await place.queue.acknowledge(ACME, agent, incarnation="second", epoch=epoch, to=51 + more, now=NOW, steady=NOW)
        assert (told.accepted, told.position) == (True, 51 + more)
        await place.queue.release(ACME, agent, epoch=epoch)
        later.append(epoch)
    await place.queue.expire(before=NOW + DAY, acknowledged_before=NOW + DAY, limit=100)
    for incarnation, epoch, agent, answer in (
        ("incarnation-1", 3, "a", (True, 3)),
        ("incarnation-1", 4, "b", (False, 0)),  # the restore lost how it ended
        ("second", later[0], "c", (True, 51)),
        ("second", later[2], "c", (True, 53)),
        ("second", later[3], "d", (True, 54)),
    ):
        told = await place.queue.acknowledge(ACME, agent, incarnation=incarnation, epoch=epoch, to=1, now=NOW, steady=NOW)
        assert (told.known, told.position) == answer, epoch


async def test_a_gap_is_told_for_as_long_as_events_are_kept(place: Place) -> None:
    """Then its sender cannot be asked for them any more."""
    await fill(place.queue, 2)
    await place.queue.reincarnate(ACME, "second", beyond=9, now=NOW)
    await place.queue.expire(before=NOW, acknowledged_before=NOW + DAY, limit=9)
    assert (await place.queue.lease(ACME, "a", epoch=0, now=NOW)).gap == (3, 9)
    await place.queue.expire(before=NOW + 1, acknowledged_before=NOW, limit=9)
    assert (await place.queue.lease(ACME, "a", epoch=0, now=NOW)).gap is None


async def test_an_export_is_in_order_and_in_pages(place: Place) -> None:
    """Everything that is kept, with the keys that open it; each page bounded."""
    for number in range(1, 9):
        await place.queue.put(parcel(number, b"x" * 900_000), ROOMY)
    pages = [page async for page in place.queue.export(ACME)]
    assert [message.seq for page in pages for message in page.messages] == list(range(1, 9))
    assert [len(page.messages) for page in pages] == [4, 4]
    assert all(page.keys == {"key": b"wrapped"} for page in pages)
    assert [page async for page in place.queue.export(OTHER)] == []


async def test_an_erased_organisation_leaves_only_its_numbers(place: Place) -> None:
    """Nothing of it is kept, numbers and epochs go on, and others keep all."""
    await fill(place.queue, 1200)
    await fill(place.queue, 2, organisation=OTHER)
    await place.queue.lease(ACME, "a", epoch=0, now=NOW)
    await acknowledged(place, 1)
    await place.queue.settled(ACME, "a", settled=0, unsettled=1, now=NOW)
    await place.queue.erase(ACME)
    assert [message async for found in place.queue.export(ACME) for message in found.messages] == []
    assert (await place.queue.backlogs()).keys() == {OTHER}
    assert await place.queue.unsettled(ACME) == []
    assert await acknowledged(place, 1) == (False, False, 0)
    await place.queue.put_key(ACME, "key", b"wrapped anew", now=NOW)
    await fill(place.queue, 1)
    assert (await place.queue.lease(ACME, "b", epoch=0, now=NOW)).epoch == 2
    assert await pulled(place.queue) == [(1201, 1)]
    assert len(await pulled(place.queue, OTHER)) == 2
