from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.deeds import Deeds
from store.log import Filter
from store.sqlite import actions as actions_module
from tests.appliance.stage import BROKEN, UNREACHABLE, Stage, changed, destination, stage, touchpoint, until
from tests.touchpoints.factory import URL, make_request, make_touchpoint
from tests.touchpoints.handshakes.cases import SNS, SUBSCRIBE_URL
from touchpoints.attempt import Delivered
from touchpoints.delivery import DeliveryState
from touchpoints.event import Verdict
from touchpoints.moment import DAY, HOUR
from touchpoints.problem import ProblemError
from touchpoints.request import Answer, Request
from touchpoints.sign import sign
from touchpoints.touchpoint import Retry, Touchpoint, TouchpointState

pytestmark = pytest.mark.anyio

EVERYTHING = Filter(tests=True)


def _deeds(play: Stage) -> Deeds:
    return Deeds(actions=play.file.actions, touchpoints=lambda: play.touchpoints, url=lambda _, _event: URL, now=play.clock.now)


async def _planned(play: Stage, *numbers: int, **fields: Any) -> Deeds:
    """Events that are planned and wait, nobody carrying them yet."""
    await play.put(*numbers, **fields)
    await play.drain.once()
    return _deeds(play)


async def test_each_action_by_filter_moves_only_what_it_names(tmp_path: Path) -> None:
    """Held, released, given up and dismissed: what the filter does not name stays."""
    async with stage(tmp_path, start=False) as play:
        deeds = await _planned(play, 1, 2, 3)
        one = Filter(ids=(f"{1:026d}",))
        for action, state in (
            ("hold", "held"),
            ("release", "pending"),
            ("give_up", "given_up"),
            ("dismiss", "dismissed"),
        ):
            tried = await deeds.do(action, one, dry_run=True)
            assert (tried.changed, tried.more) == (1, False)
            before = await play.states()
            done = await deeds.do(action, one, dry_run=False)
            assert done.changed == 1
            assert await play.states() == before | {1: state}
            assert before[1] != state
            assert (await deeds.do(action, one, dry_run=False)).changed == 0
        assert await play.states() == {1: "dismissed", 2: "pending", 3: "pending"}


async def test_a_retry_is_due_now(tmp_path: Path) -> None:
    """What waits for its moment goes out at once."""
    async with stage(tmp_path, touchpoint(retry=Retry(schedule=(DAY, DAY), spread=0.0))) as play:
        play.sender().script = [BROKEN]
        await play.put(1)
        await until(lambda: len(play.sender().jobs) == 1 and play.lanes._lanes[1].idle)
        assert (await _deeds(play).do("retry", EVERYTHING, dry_run=True)).changed == 1
        assert (await _deeds(play).do("retry", EVERYTHING, dry_run=False)).changed == 1
        play.lanes.wake()
        await play.settled()
        assert await play.states() == {1: "delivered"}


@pytest.mark.parametrize("action", ["hold", "give_up"])
async def test_more_than_one_call_changes_is_changed_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """The counts are those of the whole."""
    monkeypatch.setattr(actions_module, "MOST", 3)
    async with stage(tmp_path, start=False) as play:
        deeds = await _planned(play, *range(1, 9))
        done = await deeds.do(action, EVERYTHING, dry_run=False)
        assert (done.matched, done.changed, done.skipped, len(set(done.ids)), done.more) == (8, 8, 0, 8, False)


async def test_an_unknown_action_is_told_with_those_there_are(tmp_path: Path) -> None:
    """Whatever a stranger writes there."""
    async with stage(tmp_path, start=False) as play:
        with pytest.raises(ProblemError) as caught:
            await _deeds(play).do("explode" * 100, EVERYTHING, dry_run=True)
        assert caught.value.problems[0].code == "action_unknown"
        assert "replay" in str(caught.value)
        assert len(str(caught.value)) < 400


async def test_a_replay_is_a_new_run_with_a_new_delivery_id(tmp_path: Path) -> None:
    """A receiver that drops repeats takes it as new; a dry run makes nothing; the second replay is the third run."""
    async with stage(tmp_path) as play:
        await play.put(1, 2)
        await play.settled()
        one = Filter(ids=(f"{1:026d}",))
        tried = await _deeds(play).do("replay", one, dry_run=True)
        assert (tried.matched, tried.changed, tried.ids) == (1, 1, (f"{1:026d}",))
        assert len((await play.timeline(1)).listed.deliveries) == 1
        for run in (2, 3):
            assert (await _deeds(play).do("replay", one, dry_run=False)).changed == 1
            play.lanes.wake()
            await play.settled()
            runs = [delivery.run for delivery in (await play.timeline(1)).listed.deliveries]
            assert sorted(runs) == list(range(1, run + 1))
        assert play.sender().numbers.count(1) == 3
        assert len({job.delivery.id for job in play.sender().jobs if int(job.event.id) == 1}) == 3


async def test_a_replay_to_one_destination_runs_only_there(tmp_path: Path) -> None:
    """The other one has it already."""
    async with stage(tmp_path, touchpoint(destinations=[destination(1), destination(2)])) as play:
        await play.put(1)
        await play.settled()
        await _deeds(play).do("replay", Filter(destination=2), dry_run=False)
        play.lanes.wake()
        await play.settled()
        assert (len(play.sender(1).jobs), len(play.sender(2).jobs)) == (1, 2)


async def test_a_replay_into_a_touchpoint_on_hold_waits(tmp_path: Path) -> None:
    """On hold means that nothing goes out."""
    async with stage(tmp_path) as play:
        await play.put(1)
        await play.settled()
        await play.follow(changed(touchpoint(), state=TouchpointState.HOLD))
        await _deeds(play).do("replay", EVERYTHING, dry_run=False)
        states = {delivery.state for delivery in (await play.timeline(1)).listed.deliveries}
        assert states == {DeliveryState.DELIVERED, DeliveryState.HELD}


async def test_a_duplicate_runs_only_on_purpose(tmp_path: Path) -> None:
    """A replay of everything leaves it; `run_duplicate` runs it and nothing else."""
    async with stage(tmp_path) as play:
        await play.put(1, dedup_key="1:a")
        await play.put(2, dedup_key="1:a")
        await play.settled()
        replayed = await _deeds(play).do("replay", EVERYTHING, dry_run=True)
        assert (replayed.changed, replayed.skipped) == (1, 1)
        done = await _deeds(play).do("run_duplicate", EVERYTHING, dry_run=False)
        assert (done.changed, done.skipped, done.ids) == (1, 1, (f"{2:026d}",))
        play.lanes.wake()
        await play.settled()
        assert play.sender().numbers == [1, 2]


async def test_an_event_of_a_touchpoint_that_is_gone_is_skipped(tmp_path: Path) -> None:
    """Nobody could say where it goes."""
    async with stage(tmp_path) as play:
        await play.put(1)
        await play.settled()
        play.touchpoints = {}
        done = await _deeds(play).do("replay", EVERYTHING, dry_run=False)
        assert (done.changed, done.skipped) == (0, 1)


async def test_refused_events_are_verified_again_by_todays_secret_and_the_time_they_came(tmp_path: Path) -> None:
    """A corrected secret accepts what was signed then, also a day later; what was stale then, or is forged, stays refused."""
    right = make_touchpoint("stripe", "whsec_right", id=1, destinations=(destination(),), retry=Retry(spread=0.0))
    wrong = replace(right, secrets=("whsec_wrong",))
    body = b'{"id": "evt_1", "type": "charge.succeeded", "data": {"object": {"id": "ch_1"}}}'
    async with stage(tmp_path, wrong) as play:
        received = play.clock.now()
        fields: dict[str, Any] = {"verdict": Verdict.REFUSED, "reason": "signature_wrong", "received_at": received}
        request = make_request(body)
        for number, at, signer in (
            (1, received, right),
            (2, received - HOUR, right),
            (3, received, replace(right, secrets=("whsec_forged",))),
        ):
            headers = sign(signer, body, request.headers, at, URL, "evt_1")
            await play.put(number, body=body, headers=headers, target="/hooks/orders", **fields)
        play.clock.forward(DAY)

        refused = Filter(state="refused")
        assert (await _deeds(play).do("verify", refused, dry_run=False)).changed == 0
        await play.follow(right)
        tried = await _deeds(play).do("verify", refused, dry_run=True)
        assert (tried.changed, tried.skipped) == (1, 2)
        assert await play.states() == {1: "refused", 2: "refused", 3: "refused"}
        done = await _deeds(play).do("verify", refused, dry_run=False)
        assert (done.changed, done.skipped, done.ids) == (1, 2, (f"{1:026d}",))
        play.drain.restart()
        await play.settled()
        assert await play.states() == {1: "delivered", 2: "refused", 3: "refused"}
        assert play.sender().jobs[0].event.event_type == "charge.succeeded"
        assert (await _deeds(play).do("dismiss", refused, dry_run=False)).changed == 2
        assert (await play.file.log.backlog()).refused == 0


async def test_a_confirmation_is_visited_when_it_is_verified_again(tmp_path: Path) -> None:
    """It never becomes an event; once it was visited nobody is told of it any more; a dry run visits nothing."""
    made = replace(SNS.touchpoint, id=1, destinations=(destination(),))
    visited: list[str] = []
    statuses = [503, 200]

    async def perform(_touchpoint: Touchpoint, _request: Request, answer: Answer) -> Answer:
        visited.append(answer.visit)
        return Answer(status=statuses.pop(0))

    async with stage(tmp_path, made) as play:
        fields: dict[str, Any] = {"verdict": Verdict.REFUSED, "reason": "confirmation_failed", "received_at": play.clock.now()}
        await play.put(1, body=SNS.body, headers=SNS.headers, **fields)
        await play.put(2, body=SNS.body, headers=(), **fields)
        refused = Filter(state="refused")
        actions, touchpoints = play.file.actions, play.touchpoints
        deeds = Deeds(
            actions=actions, touchpoints=lambda: touchpoints, url=lambda _, _event: URL, now=play.clock.now, perform=perform
        )
        assert (await deeds.do("verify", refused, dry_run=True)).changed == 1
        assert visited == []
        assert (await deeds.do("verify", refused, dry_run=False)).changed == 0
        assert (await play.file.log.backlog()).refused == 2
        assert (await deeds.do("verify", refused, dry_run=False)).ids == (f"{1:026d}",)
        assert visited == [SUBSCRIBE_URL] * 2
        assert (await play.file.log.backlog()).refused == 1
        assert await play.states() == {1: "refused", 2: "refused"}
        assert not play.sender().jobs


async def test_what_is_delivered_is_never_taken_back(tmp_path: Path) -> None:
    """Whatever is done to everything."""
    async with stage(tmp_path) as play:
        play.sender().script = [Delivered(), UNREACHABLE]
        await play.put(1)
        await play.settled()
        for action in ("hold", "release", "retry", "give_up", "dismiss"):
            assert (await _deeds(play).do(action, EVERYTHING, dry_run=False)).changed == 0
        assert await play.states() == {1: "delivered"}
