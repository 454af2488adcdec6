from pathlib import Path
from typing import Any

import pytest

from appliance.ids import new_id
from appliance.rehearsal import Rehearsal
from tests.appliance.stage import Stage, changed, destination, stage
from tests.store.make import arrival
from tests.touchpoints.factory import URL, fitting_secret, make_touchpoint
from touchpoints.problem import ProblemError
from touchpoints.sign import sign
from touchpoints.split import item_id
from touchpoints.touchpoint import Dedup, Touchpoint, TouchpointState
from web.listener.endpoint import Directory, Endpoint

pytestmark = pytest.mark.anyio


def _orders(**fields: Any) -> Touchpoint:
    return make_touchpoint("shopify", "hush-secret", id=1, destinations=(destination(name="erp"),), **fields)


def _rehearsal(play: Stage) -> Rehearsal:
    return Rehearsal(
        inbox=play.file.inbox,
        log=play.file.log,
        actions=play.file.actions,
        directory=lambda: Directory(
            endpoints={one.name: Endpoint(touchpoint=one, url=URL) for one in play.touchpoints.values()}
        ),
        sender=play.lanes.sender,
        url=lambda touchpoint, _event: touchpoint.public_url or URL,
        wake=play.drain.restart,
        clock=play.clock,
        new_id=new_id,
    )


async def test_a_test_event_is_verified_and_stops_before_the_outbox(tmp_path: Path) -> None:
    """It shows what would be sent, and sends nothing; statistics do not see it."""
    async with stage(tmp_path, _orders()) as play:
        played = await _rehearsal(play).play("orders", None, headers={}, deliver=False)
        assert (played["verdict"], played["reason"]) == ("accepted", "")
        (shown,) = played["deliveries"]
        assert (shown["destination"], shown["sent"], shown["method"], shown["target"]) == ("erp", False, "POST", "orders")
        assert shown["body_bytes"] > 2
        await play.settled()
        assert not play.sender().jobs
        timeline = await play.file.log.timeline(played["event_id"])
        assert timeline is not None
        assert timeline.listed.event.test
        assert timeline.listed.deliveries == ()
        assert await play.file.log.last_events() == {}


async def test_with_deliver_it_is_sent_and_its_answer_shown(tmp_path: Path) -> None:
    """Marked as a test all the way."""
    async with stage(tmp_path, _orders()) as play:
        played = await _rehearsal(play).play("orders", b'{"own": 1}', headers={"X-Own": "ä"}, deliver=True)
        (shown,) = played["deliveries"]
        assert (shown["sent"], shown["outcome"], shown["http_status"]) == (True, "delivered", 200)
        (job,) = play.sender().jobs
        assert job.event.test
        assert job.body == b'{"own": 1}'
        assert (b"x-own", "ä".encode("latin-1")) in job.event.headers


async def test_without_a_secret_it_says_so(tmp_path: Path) -> None:
    """There is nothing to sign with."""
    async with stage(tmp_path, _orders(secrets=(), state=TouchpointState.SETUP)) as play:
        with pytest.raises(ProblemError) as caught:
            await _rehearsal(play).play("orders", None, headers={}, deliver=False)
        assert caught.value.problems[0].code == "test_needs_secret"
        assert await play.states() == {}


async def test_an_unknown_touchpoint(tmp_path: Path) -> None:
    """Is a problem in words."""
    async with stage(tmp_path, _orders()) as play:
        with pytest.raises(ProblemError) as caught:
            await _rehearsal(play).play("x" * 5000, None, headers={}, deliver=False)
        assert caught.value.problems[0].code == "touchpoint_unknown"


async def test_what_cannot_go_out_is_not_waited_for(tmp_path: Path) -> None:
    """On hold, or with no lane open, the answer comes at once and says that nothing was sent."""
    async with stage(tmp_path, changed(_orders(), state=TouchpointState.HOLD)) as play:
        played = await _rehearsal(play).play("orders", None, headers={}, deliver=True)
        assert [shown["sent"] for shown in played["deliveries"]] == [False]
        assert (await play.file.log.backlog()).held == 1
    (tmp_path / "stopped").mkdir()
    async with stage(tmp_path / "stopped", _orders(), start=False) as play:
        played = await _rehearsal(play).play("orders", None, headers={}, deliver=True)
        assert [shown["sent"] for shown in played["deliveries"]] == [False]


async def test_a_secret_is_in_nothing_that_is_shown(tmp_path: Path) -> None:
    """What is shown may be pasted anywhere."""
    async with stage(tmp_path, _orders()) as play:
        played = await _rehearsal(play).play("orders", None, headers={}, deliver=True)
        assert "hush-secret" not in repr(played)


async def test_from_where_its_senders_come_is_no_part_of_a_test(tmp_path: Path) -> None:
    """A test comes from here, without a sender's certificate."""
    conditions: dict[str, Any] = {"networks": ("192.0.2.0/24",), "client_certificates": ("ab" * 32,)}
    async with stage(tmp_path, _orders(**conditions)) as play:
        played = await _rehearsal(play).play("orders", None, headers={}, deliver=False)
        assert (played["verdict"], played["reason"]) == ("accepted", "")


def _splitting() -> Touchpoint:
    return _orders(split="", event_type="json:/type", reference="json:/number", dedup=Dedup(key="json:/id"))


async def test_where_a_body_is_split_the_first_item_is_tested(tmp_path: Path) -> None:
    """It is what a destination would get; with deliver it goes out alone."""
    body = b'[{"id": "a", "type": "x"}, {"id": "b", "type": "y"}]'
    async with stage(tmp_path, _splitting()) as play:
        played = await _rehearsal(play).play("orders", body, headers={}, deliver=True)
        assert [shown["body_bytes"] for shown in played["deliveries"]] == [24]
        (job,) = play.sender().jobs
        assert (job.body, job.event.event_type, job.event.test) == (b'{"id": "a", "type": "x"}', "x", True)
        assert job.event.id == played["event_id"]


async def test_an_empty_list_is_tested_whole(tmp_path: Path) -> None:
    """There is no item to show."""
    async with stage(tmp_path, _splitting()) as play:
        played = await _rehearsal(play).play("orders", b"[]", headers={}, deliver=False)
        assert [shown["body_bytes"] for shown in played["deliveries"]] == [2]


async def test_a_trial_of_a_split_event_shows_its_first_item_and_one_of_an_item_itself(tmp_path: Path) -> None:
    """An item has no signature of its own: its request was verified as a whole."""
    body = b'[{"id": "a", "type": "x", "number": 1}, {"id": "b", "type": "y", "number": 2}]'
    async with stage(tmp_path, _splitting()) as play:
        headers = sign(_splitting(), body, (), play.clock.now(), URL, "id")
        await play.put(1, body=body, headers=headers, target="/hooks/orders")
        await play.settled()
        whole = await _rehearsal(play).trial("orders", arrival(1).event.id)
        item = await _rehearsal(play).trial("orders", item_id(arrival(1).event.id, 1))
        assert whole is not None
        assert item is not None
        read = ("verdict", "event_type", "reference", "dedup_key")
        assert [whole[name] for name in read] == ["accepted", "x", "1", "a"]
        assert [item[name] for name in read] == ["accepted", "y", "2", "b"]
        assert [shown["body_bytes"] for shown in (*whole["deliveries"], *item["deliveries"])] == [37, 37]


@pytest.mark.parametrize("name", ["adyen", "braintree", "mailgun", "ms_graph", "salesforce_om", "linear", "docusign"])
async def test_a_proof_that_stands_in_the_body_is_put_there(tmp_path: Path, name: str) -> None:
    """Whatever its provider signs and wherever it writes that, a test event is as one of its own."""
    touchpoint = make_touchpoint(name, fitting_secret(name), id=1, destinations=(destination(name="erp"),))
    async with stage(tmp_path, touchpoint) as play:
        played = await _rehearsal(play).play("orders", None, headers={}, deliver=False)
        assert (played["verdict"], played["reason"]) == ("accepted", "")
