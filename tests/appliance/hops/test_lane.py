import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.hops import lane as lane_module
from store.inbox import StoreUnavailable
from store.log import Filter
from tests.appliance.stage import (
    BROKEN,
    UNREACHABLE,
    ScriptedSender,
    Stage,
    changed,
    destination,
    stage,
    touchpoint,
    until,
    until_async,
)
from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.moment import DAY, HOUR, SECOND
from touchpoints.touchpoint import Retry, Touchpoint, TouchpointState

pytestmark = pytest.mark.anyio

KIB = 1024


def _retrying(*schedule: int, **fields: Any) -> Touchpoint:
    return touchpoint(retry=Retry(schedule=schedule, spread=0.0), **fields)


async def _attempted(play: Stage, number: int, attempts: int) -> None:
    """Wait until so many attempts at an event are recorded."""

    async def recorded() -> bool:
        timeline = await play.file.log.timeline(f"{number:026d}")
        return timeline is not None and len(timeline.attempts) == attempts

    await until_async(recorded)


async def test_it_delivers_and_records_the_attempt(tmp_path: Path) -> None:
    """An event arrives once, and the log tells when and what was answered."""
    async with stage(tmp_path) as play:
        await play.put(1, body=b"\x00exact\xff")
        await play.settled()
        (job,) = play.sender().jobs
        assert job.body == b"\x00exact\xff"
        (attempt,) = (await play.timeline(1)).attempts
        assert (attempt.number, attempt.outcome, attempt.http_status) == (1, "delivered", 200)
        assert attempt.started_at == play.clock.now()


async def test_it_retries_by_the_schedule_and_gives_up(tmp_path: Path) -> None:
    """No try before its moment; after the last span the delivery waits for a person."""
    async with stage(tmp_path, _retrying(5 * SECOND, 30 * SECOND)) as play:
        play.sender().usual = BROKEN
        await play.put(1)
        await _attempted(play, 1, 1)
        for wait, attempts in ((5 * SECOND, 2), (30 * SECOND, 3)):
            play.forward(wait - 1)
            await asyncio.sleep(0.03)
            assert len(play.sender().jobs) == attempts - 1
            play.forward(1)
            await _attempted(play, 1, attempts)
        assert await play.states() == {1: "given_up"}
        assert len(set(play.sender().ids)) == 1
        play.forward(365 * DAY)
        await asyncio.sleep(0.03)
        assert len(play.sender().jobs) == 3


async def test_a_final_failure_gives_up_at_once(tmp_path: Path) -> None:
    """A destination that says "gone" is not asked again."""
    async with stage(tmp_path) as play:
        play.sender().usual = Failed(blame=Blame.FINAL, code="gone", error="It answered 410.", http_status=410)
        await play.put(1)
        await play.settled()
        assert await play.states() == {1: "given_up"}


@pytest.mark.parametrize("size", [100, 300 * KIB])
async def test_a_body_that_the_disk_changed_is_never_sent(tmp_path: Path, size: int) -> None:
    """It is given up at once, in words; the destination is not blamed, and what comes after it goes on."""
    change = "UPDATE bodies SET data = CAST(? AS BLOB) WHERE place = ?"
    async with stage(tmp_path, changed(touchpoint(), state=TouchpointState.HOLD)) as play:
        await play.put(1, body=b"x" * size)
        await play.put(2)
        await until_async(lambda: _states(play, {1: "held", 2: "held"}))
        await play.file._writer.run(lambda db: db.execute(change, (b"y" * size, 1 << 16)) and None)
        await play.follow(touchpoint())
        await play.file.actions.release(Filter(), now=play.clock.now(), dry_run=False)
        play.lanes.wake()
        await until_async(lambda: _states(play, {1: "given_up", 2: "delivered"}))
        assert play.sender().numbers == [2]
        (attempt,) = (await play.timeline(1)).attempts
        assert (attempt.blame, attempt.error_code) == (Blame.FINAL, "body_damaged")
        assert await play.file.outbox.health() == []


async def _states(play: Stage, wanted: dict[int, str]) -> bool:
    return await play.states() == wanted


async def test_retry_after_lengthens_a_wait_and_never_shortens_one(tmp_path: Path) -> None:
    """What the destination asks for counts where it is longer than the schedule."""
    async with stage(tmp_path, _retrying(30 * SECOND, 30 * SECOND, 30 * SECOND)) as play:
        play.sender().script = [replace(BROKEN, retry_after=HOUR), replace(BROKEN, retry_after=SECOND)]
        await play.put(1)
        await _attempted(play, 1, 1)
        play.forward(HOUR - 1)
        await asyncio.sleep(0.03)
        assert len(play.sender().jobs) == 1
        play.forward(1)
        await _attempted(play, 1, 2)
        play.forward(30 * SECOND - 1)
        await asyncio.sleep(0.03)
        assert len(play.sender().jobs) == 2
        play.forward(1)
        await play.settled()
        assert await play.states() == {1: "delivered"}


async def test_a_destination_is_down_after_three_failures_and_probed_by_one_delivery_at_a_time(tmp_path: Path) -> None:
    """The others wait without using a try; the first success lets them go in order of receipt, a growing number at once."""
    async with stage(tmp_path, touchpoint(destinations=[destination(concurrency=8)])) as play:
        sender = play.sender()
        sender.usual, sender.gate = UNREACHABLE, asyncio.Event()
        await play.put(1, 2, 3)
        await until(lambda: sender.under_way == 3)
        sender.gate.set()
        await until(lambda: play.lanes.health()[1].down_since is not None and play.lanes._lanes[1].idle)
        await play.put(*range(4, 21))
        before = len(sender.jobs)
        assert before == 3

        for _ in range(4):
            sender.gate = asyncio.Event()
            play.clock.wall = play.lanes.health()[1].probe_at
            play.lanes.wake()
            await until(lambda: sender.under_way == 1)
            play.lanes.wake()
            await asyncio.sleep(0.02)
            assert sender.under_way == 1
            sender.gate.set()
            await until(lambda: play.lanes._lanes[1].idle)
        assert len(sender.jobs) == before + 4

        del sender.jobs[:]
        sender.most, sender.pause, sender.usual = 0, 0.002, Delivered()
        play.clock.wall = play.lanes.health()[1].probe_at
        play.lanes.wake()
        await play.settled()
        assert sorted(sender.numbers) == list(range(1, 21))
        # Two deliveries that overlap may begin in either order; nobody is overtaken by more than the concurrency.
        assert all(abs(place - number) <= 8 for place, number in enumerate(sender.numbers, 1))
        assert sender.numbers[:3] == [1, 2, 3]
        assert 2 <= sender.most <= 8
        for number in range(1, 21):
            assert all(delivery.tries == 0 for delivery in (await play.timeline(number)).listed.deliveries)


async def test_a_four_day_outage_gives_nothing_up(tmp_path: Path) -> None:
    """A destination that is away for longer than the whole schedule costs no delivery."""
    async with stage(tmp_path, _retrying(SECOND)) as play:
        sender = play.sender()
        sender.usual = UNREACHABLE
        await play.put(1, 2, 3, 4, 5)
        end = play.clock.now() + 4 * DAY
        while play.clock.now() < end:
            await until(lambda: play.lanes._lanes[1].idle)
            play.forward(2 * HOUR)
            await asyncio.sleep(0)
            await _asked_again(sender, len(sender.jobs))
        await until(lambda: play.lanes._lanes[1].idle)
        assert (await play.file.log.backlog()).given_up == 0
        assert len(sender.jobs) < 200
        sender.usual = Delivered()
        play.forward(HOUR)
        await play.settled()
        assert set((await play.states()).values()) == {"delivered"}


async def _asked_again(sender: ScriptedSender, before: int) -> None:
    await until(lambda: len(sender.jobs) > before)


async def test_health_survives_a_restart(tmp_path: Path) -> None:
    """A destination that was down is known to be down by the next start, and is not stormed."""
    async with stage(tmp_path) as play:
        play.sender().usual = UNREACHABLE
        await play.put(1, 2, 3)
        await until(lambda: play.lanes.health()[1].down_since is not None and play.lanes._lanes[1].idle)
        clock, known = play.clock, play.lanes.health()[1]
    async with stage(tmp_path, clock=clock) as play:
        assert play.lanes.health()[1] == known
        await play.put(4)
        await asyncio.sleep(0.05)
        assert not play.sender().jobs
        play.forward(HOUR)
        await play.settled()


async def test_concurrency_is_bounded(tmp_path: Path) -> None:
    """Never more attempts at once than the destination allows, and as many as that."""
    async with stage(tmp_path, touchpoint(destinations=[destination(concurrency=3)])) as play:
        play.sender().pause = 0.005
        await play.put(*range(1, 40))
        await play.settled()
        assert play.sender().most == 3
        assert sorted(play.sender().numbers) == list(range(1, 40))


async def test_a_slow_lane_delays_no_other(tmp_path: Path) -> None:
    """While one destination hangs with all it may, another gets everything."""
    async with stage(tmp_path, touchpoint(destinations=[destination(1), destination(2)])) as play:
        play.sender(1).gate = gate = asyncio.Event()
        await play.put(*range(1, 30))
        await until(lambda: len(play.sender(2).jobs) == 29)
        await until(lambda: len(play.sender(1).jobs) == 4)  # a busy machine may read the first of them last
        await asyncio.sleep(0.03)
        assert len(play.sender(1).jobs) == 4
        gate.set()
        await play.settled()


async def test_large_bodies_stay_within_the_budget(tmp_path: Path) -> None:
    """Many lanes with bodies of nearly half the budget: all arrive, and never more is out than the limit."""
    lanes = [destination(number) for number in range(1, 9)]
    async with stage(tmp_path, touchpoint(destinations=lanes)) as play:
        play.budget.resize(700 * KIB)
        body = b"x" * (300 * KIB)
        await play.put(1, 2, body=body)
        await play.settled()
        assert 300 * KIB <= play.budget.peak <= 700 * KIB
        for number in range(1, 9):
            assert sorted(play.sender(number).numbers) == [1, 2]
            assert all(job.body == body for job in play.sender(number).jobs)


async def test_a_body_above_the_whole_budget_still_gets_through(tmp_path: Path) -> None:
    """What was stored before the limit was lowered blocks nobody, and neither does a budget below one claim."""
    async with stage(tmp_path) as play:
        play.budget.resize(100 * KIB)
        await play.put(1, body=b"x" * (400 * KIB))
        await play.put(2, body=b"x" * (120 * KIB))
        await play.put(3)
        await play.settled()
        assert play.sender().numbers == [1, 2, 3]
        assert play.budget.peak <= 100 * KIB


async def test_the_budget_is_given_back_when_attempts_are_cut_off(tmp_path: Path) -> None:
    """Whenever a lane ends (before an attempt's first step, within it, within its claim), nothing stays taken."""
    async with stage(tmp_path, start=False) as play:
        await play.put(*range(1, 10), body=b"x" * (100 * KIB))
        await play.drain.once()
        for steps in (*range(12), 40):
            await play.lanes.follow(play.touchpoints.values())
            play.sender().gate = asyncio.Event()
            for _ in range(steps):
                await asyncio.sleep(0 if steps < 12 else 0.001)
            await play.lanes.close(grace=0)
            assert play.budget.used == 0, steps
            await until(lambda: all(sender.closed for sender in play.opened))
        await play.lanes.follow(play.touchpoints.values())
        await play.settled()
        assert sorted(play.sender().numbers) == list(range(1, 10))


async def test_a_task_that_never_ran_a_step_gives_its_budget_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane that is cancelled right after its claim has tasks that ran no line."""
    async with stage(tmp_path, start=False) as play:
        await play.put(1)
        await play.drain.once()
        spawned = asyncio.Event()
        make = asyncio.TaskGroup.create_task

        def create_and_end(group: asyncio.TaskGroup, work: Any, **options: Any) -> Any:
            task = make(group, work, **options)
            task.cancel()
            next(one for one in play.tasks._running if one.get_name() == "lane-1").cancel()
            spawned.set()
            return task

        monkeypatch.setattr(asyncio.TaskGroup, "create_task", create_and_end)
        await play.lanes.follow(play.touchpoints.values())
        await spawned.wait()
        await play.lanes.close(grace=0)
        assert play.budget.used == 0
        assert not play.sender().jobs


async def test_following_swaps_the_sender_and_closes_the_old_one_after_its_last_attempt(tmp_path: Path) -> None:
    """What is under way ends by the old settings; what follows goes by the new ones."""
    async with stage(tmp_path, touchpoint(destinations=[destination(concurrency=2)])) as play:
        old = play.sender()
        old.gate = asyncio.Event()
        await play.put(1)
        await until(lambda: old.under_way == 1)
        await play.follow(touchpoint(destinations=[destination(concurrency=2, url="http://127.0.0.1:2/")]))
        await play.put(2)
        await until(lambda: len(play.opened) == 2 and play.opened[1].numbers == [2])
        assert not old.closed
        old.gate.set()
        await play.settled()
        await until(lambda: old.closed)
        assert not play.opened[1].closed


async def test_following_without_a_change_keeps_the_sender(tmp_path: Path) -> None:
    """Connections outlive a change that does not concern them."""
    async with stage(tmp_path) as play:
        await play.follow(changed(touchpoint(), name="renamed"))
        await play.put(1)
        await play.settled()
        assert len(play.opened) == 1


async def test_a_change_during_a_claim_uses_no_closed_sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was claimed for the old sender is claimed anew."""
    async with stage(tmp_path, start=False) as play:
        claim, swapped = play.file.outbox.claim, False

        async def claim_while_following(*arguments: Any, **options: Any) -> Any:
            nonlocal swapped
            jobs = await claim(*arguments, **options)
            if jobs and not swapped:
                swapped = True
                await play.lanes.follow([touchpoint(destinations=[destination(url="http://127.0.0.1:2/")])])
                await asyncio.sleep(0)
            return jobs

        monkeypatch.setattr(play.file.outbox, "claim", claim_while_following)
        await play.put(1)
        await play.drain.once()
        await play.lanes.follow(play.touchpoints.values())
        await play.settled()
        assert not play.opened[0].jobs
        assert play.opened[1].numbers == [1]
        await until(lambda: play.opened[0].closed)


async def test_a_lane_on_hold_claims_nothing_until_it_is_let_go(tmp_path: Path) -> None:
    """Deliveries planned before wait, whoever wakes the lane."""
    async with stage(tmp_path) as play:
        await play.follow(changed(touchpoint(), state=TouchpointState.HOLD))
        await play.follow(changed(touchpoint(), state=TouchpointState.HOLD))
        play.touchpoints = {1: touchpoint()}
        await play.put(1)
        await until_async(lambda: _backlog(play, outbox=1))
        play.lanes.wake()
        await asyncio.sleep(0.03)
        assert not play.sender().jobs
        await play.follow(touchpoint())
        await play.settled()
        assert play.sender().numbers == [1]


async def _backlog(play: Stage, *, outbox: int) -> bool:
    return (await play.file.log.backlog()).outbox == outbox


async def test_settling_is_tried_again_and_nothing_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full for a while costs neither a delivery nor a second sending."""
    monkeypatch.setattr(lane_module, "LONGEST_REST", 0.01)
    async with stage(tmp_path) as play:
        settle, refused = play.file.outbox.settle, 0

        async def full(*arguments: Any) -> None:
            nonlocal refused
            if refused < 12:
                refused += 1
                raise StoreUnavailable("disk_full")
            await settle(*arguments)

        monkeypatch.setattr(play.file.outbox, "settle", full)
        await play.put(1, 2, 3)
        await play.settled()
        assert refused == 12
        assert sorted(play.sender().numbers) == [1, 2, 3]


async def test_what_waits_to_be_settled_is_bounded_by_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be recorded, a lane does not go on sending for ever."""
    monkeypatch.setattr(lane_module, "LONGEST_REST", 0.01)
    async with stage(tmp_path) as play:
        play.budget.resize(1024 * KIB)
        settle, full = play.file.outbox.settle, True

        async def refusing(*arguments: Any) -> None:
            if full:
                raise StoreUnavailable("disk_full")
            await settle(*arguments)

        monkeypatch.setattr(play.file.outbox, "settle", refusing)
        await play.put(*range(1, 60))
        await until(lambda: play.budget.used > 512 * KIB)
        await asyncio.sleep(0.1)
        assert len(play.sender().jobs) <= 16
        full = False
        await play.settled()
        assert sorted(play.sender().numbers) == list(range(1, 60))


async def test_a_crash_before_settling_repeats_with_the_same_delivery_id(tmp_path: Path) -> None:
    """The receiver can tell a repeat by the id that travels along."""
    async with stage(tmp_path) as play:
        play.sender().gate = asyncio.Event()
        await play.put(1)
        await until(lambda: play.sender().under_way == 1)
        first = play.sender().ids
    async with stage(tmp_path) as play:
        await play.settled()
        assert play.sender().ids == first
        assert play.sender().jobs[0].delivery.attempts == 0


async def test_a_delivery_that_a_person_gave_up_meanwhile_keeps_that_state(tmp_path: Path) -> None:
    """A failure that comes in later does not bring it back, and is still recorded."""
    async with stage(tmp_path) as play:
        sender = play.sender()
        sender.gate, sender.usual = asyncio.Event(), BROKEN
        await play.put(1)
        await until(lambda: sender.under_way == 1)
        await play.file.actions.give_up(Filter(), now=play.clock.now(), dry_run=False)
        sender.gate.set()
        await _attempted(play, 1, 1)
        assert await play.states() == {1: "given_up"}
        play.forward(DAY)
        await asyncio.sleep(0.03)
        assert len(sender.jobs) == 1


async def test_a_single_free_slot_is_used_while_the_others_hang(tmp_path: Path) -> None:
    """Slots are refilled many at once where they free together; seven attempts that hang do not hold up the eighth's slot."""
    gate = asyncio.Event()

    class Hanging(ScriptedSender):
        async def attempt(self, job: Any, *, touchpoint: str) -> Outcome:
            outcome = await super().attempt(job, touchpoint=touchpoint)
            if int(job.event.id) < 8:
                await gate.wait()
            return outcome

    async with stage(tmp_path, touchpoint(destinations=[destination(concurrency=8)]), start=False) as play:
        play.senders[1] = Hanging()
        await play.start()
        await play.put(*range(1, 21))
        await until(lambda: len(play.sender().jobs) == 20)
        assert sorted(play.sender().numbers) == list(range(1, 21))
        gate.set()
        await play.settled()


async def test_a_sender_that_breaks_its_promise_ends_no_lane(tmp_path: Path) -> None:
    """An exception nobody foresaw counts as that event's failure, and the others go on."""

    class Breaking(ScriptedSender):
        async def attempt(self, job: Any, *, touchpoint: str) -> Outcome:
            if job.event.id.endswith("1") and job.delivery.attempts == 0:
                raise RuntimeError("hush: a secret")
            return await super().attempt(job, touchpoint=touchpoint)

    async with stage(tmp_path, _retrying(SECOND), start=False) as play:
        play.senders[1] = Breaking()
        await play.start()
        await play.put(1, 2)
        await _attempted(play, 1, 1)
        await _attempted(play, 2, 1)
        (attempt,) = (await play.timeline(1)).attempts
        assert attempt.error_code == "attempt_failed"
        assert "hush" not in attempt.error
        play.forward(SECOND)
        await play.settled()
        assert set((await play.states()).values()) == {"delivered"}


async def test_a_store_that_cannot_be_read_for_a_while_ends_no_lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an unavailable store nor an error nobody foresaw."""
    async with stage(tmp_path) as play:
        claim, errors = play.file.outbox.claim, [StoreUnavailable("store_failed"), ValueError("unforeseen")]

        async def failing(*arguments: Any, **options: Any) -> Any:
            if errors:
                play.lanes.wake()
                raise errors.pop(0)
            return await claim(*arguments, **options)

        monkeypatch.setattr(play.file.outbox, "claim", failing)
        await play.put(1)
        await play.settled()
        assert not errors
        assert play.sender().numbers == [1]


async def test_a_probe_reckoned_by_a_clock_that_ran_ahead_is_made_now(tmp_path: Path) -> None:
    """A clock set back a day does not keep a destination down for a day."""
    async with stage(tmp_path) as play:
        play.sender().usual = UNREACHABLE
        await play.put(1, 2, 3)
        await until(lambda: play.lanes.health()[1].down_since is not None and play.lanes._lanes[1].idle)
        play.sender().usual = Delivered()
        play.clock.forward(-DAY)
        await play.file.actions.retry_now(Filter(), now=play.clock.now(), dry_run=False)
        play.lanes.probe_now()
        await play.settled()


async def test_a_destination_that_was_down_is_tried_at_once_when_it_was_changed(tmp_path: Path) -> None:
    """Whoever mends the address does not wait for the next probe of the old one."""
    async with stage(tmp_path) as play:
        play.sender().usual = UNREACHABLE
        await play.put(1, 2, 3)
        await until(lambda: play.lanes.health()[1].down_since is not None and play.lanes._lanes[1].idle)
        probe_at = play.lanes.health()[1].probe_at
        await play.follow(touchpoint(destinations=[destination(url="http://127.0.0.1:2/")]))
        await play.settled()
        assert play.clock.now() < probe_at
        assert play.lanes.health()[1].down_since is None


async def test_nothing_waits_longer_than_a_rest_for_a_wake_that_never_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost wake costs a second of monotonic time, also while the wall clock stands a day back."""
    async with stage(tmp_path, start=False) as play:
        await play.lanes.follow(play.touchpoints.values())
        await asyncio.sleep(0.02)
        play.clock.forward(-DAY)
        play.drain._planned = _nobody
        await play.put(1, received_at=play.clock.now())
        await play.drain.once()
        async with asyncio.timeout(1.5):
            await play.settled()


def _nobody(_: object) -> None:
    """Wakes no lane."""
