"""Split events: every item is an event of its own, once, whatever happens in between."""

import asyncio
import itertools
import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from appliance.hops import lane as lane_module
from appliance.hops import pace as pace_module
from appliance.hops import splitting
from store.log import Filter, Timeline
from tests.appliance.stage import Stage, destination, stage, touchpoint, until
from tests.appliance.test_anomaly import Trouble, send
from tests.store.make import arrival
from touchpoints.split import item_id
from touchpoints.touchpoint import Dedup, Touchpoint

pytestmark = pytest.mark.anyio


def splitting_touchpoint(**fields: Any) -> Touchpoint:
    """Its bodies are lists of `{"id", "type"}`."""
    values: dict[str, Any] = {
        "split": "",
        "event_type": "json:/type",
        "dedup": Dedup(key="json:/id"),
        "reference": "json:/number",
    }
    return touchpoint(**(values | fields))


def bodies(play: Stage, number: int = 1) -> list[bytes]:
    """What a destination got, in order."""
    return [job.body for job in play.sender(number).jobs]


async def timeline(play: Stage, event_id: str) -> Timeline:
    """One event with all that happened to it."""
    found = await play.file.log.timeline(event_id)
    assert found is not None
    return found


def numbered(number: int) -> str:
    """The id of an event by its number."""
    return arrival(number).event.id


async def test_items_go_out_one_by_one_and_know_their_parent(tmp_path: Path) -> None:
    """The parent is settled as split, with its items on its timeline in order; each of them names it."""
    async with stage(tmp_path, splitting_touchpoint(destinations=[destination(1), destination(2)])) as play:
        await play.put(1, body=b'[{"id":"a","n":1.10}, {"id":"b","number":1042}]')
        await play.settled()
        assert sorted(bodies(play)) == sorted(bodies(play, 2)) == [b'{"id":"a","n":1.10}', b'{"id":"b","number":1042}']
        whole = await timeline(play, numbered(1))
        assert (whole.listed.event.verdict, whole.listed.deliveries, whole.listed.waiting) == ("split", (), False)
        assert whole.items == (item_id(numbered(1), 0), item_id(numbered(1), 1))
        assert await play.file.log.body(numbered(1)) == b'[{"id":"a","n":1.10}, {"id":"b","number":1042}]'
        second = await timeline(play, whole.items[1])
        assert (second.listed.item_of, second.listed.event.reference, second.items) == (numbered(1), "1042", ())
        assert [one.state.value for one in second.listed.deliveries] == ["delivered", "delivered"]
        assert [one.seq for one in await play.file.log.find("1042", limit=5)] == [second.listed.seq]


async def test_items_are_filtered_and_recognised_like_any_event(tmp_path: Path) -> None:
    """By their own type and key: also within one body, and in a body that its sender sends again."""
    body = b'[{"id":"a","type":"x"},{"id":"b","type":"y"},{"id":"a","type":"x"}]'
    async with stage(tmp_path, splitting_touchpoint(events=("x",))) as play:
        await play.put(1, 2, body=body)
        await play.settled()
        assert bodies(play) == [b'{"id":"a","type":"x"}']
        verdicts = [one.event.verdict.value for one in reversed(await play.file.log.events(Filter(), limit=20))]
        assert sorted(verdicts[:2]) == ["split", "split"]
        assert verdicts[2:] == ["accepted", "filtered", "duplicate", "duplicate", "filtered", "duplicate"]
        assert len((await timeline(play, item_id(numbered(1), 0))).duplicates) == 3


async def test_an_item_is_never_split_again(tmp_path: Path) -> None:
    """An item that is a list is one event."""
    async with stage(tmp_path, splitting_touchpoint()) as play:
        await play.put(1, body=b"[[1,2],[3]]")
        await play.settled()
        assert bodies(play) == [b"[1,2]", b"[3]"]


@pytest.mark.parametrize("body", [b"{}", b"", b"[1", b"a=1"])
async def test_a_body_that_is_no_list_is_one_event(tmp_path: Path, body: bytes) -> None:
    """It goes out whole, as without the setting."""
    async with stage(tmp_path, splitting_touchpoint()) as play:
        await play.put(1, body=body)
        await play.settled()
        assert bodies(play) == [body]
        assert (await play.states())[1] == "delivered"


async def test_an_empty_list_is_settled_with_nothing_to_do(tmp_path: Path) -> None:
    """It is no event for any destination, and no one waits for it."""
    async with stage(tmp_path, splitting_touchpoint()) as play:
        await play.put(1, body=b"[]")
        await play.settled()
        assert (bodies(play), await play.states()) == ([], {1: "split"})


async def test_a_test_event_is_left_alone(tmp_path: Path) -> None:
    """A rehearsal shows what would be sent; it makes no events."""
    async with stage(tmp_path, splitting_touchpoint()) as play:
        await play.put(1, body=b"[1,2]", test=True)
        await play.settled()
        assert await play.states() == {1: "accepted"}


async def test_split_and_ordinary_events_share_a_batch_in_transactions_of_bounded_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one transaction plans ends at a number of items; nobody is left out, and a large body is split aside."""
    monkeypatch.setattr(splitting, "MOST_ITEMS", 5)
    monkeypatch.setattr(splitting, "LARGE", 100)
    async with stage(tmp_path, splitting_touchpoint(), touchpoint(2), start=False) as play:
        planned: list[int] = []
        plan = play.file.outbox.plan

        async def noted(plans: Any) -> None:
            planned.append(sum(1 if one.items is None else len(one.items) for one in plans))
            await plan(plans)

        monkeypatch.setattr(play.file.outbox, "plan", noted)
        for number in range(1, 5):
            await play.put(number, body=json.dumps([{"id": f"{number}-{item}"} for item in range(3)]).encode())
            await play.put(10 + number, touchpoint=2)
        await play.put(20, body=json.dumps([{"id": f"20-{item}"} for item in range(40)]).encode())
        await play.start()
        await play.settled()
        assert planned == [4, 6, 6, 40]
        assert len(bodies(play)) == 52
        assert len(bodies(play, 2)) == 4


@pytest.mark.parametrize("committed", [False, True], ids=["nothing stored", "stored, yet reported as failed"])
async def test_whichever_commit_fails_every_item_goes_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    """The first, the second, the third … commit fails: no item is lost, none is an event twice, and each is delivered."""
    monkeypatch.setattr(pace_module, "LONGEST_REST", 0.02)
    monkeypatch.setattr(lane_module, "LONGEST_REST", 0.02)
    struck = 0
    for nth in itertools.count(1):
        trouble = Trouble(nth, sqlite3.SQLITE_IOERR, committed=committed)
        folder = tmp_path / str(nth)
        folder.mkdir()
        async with stage(folder, splitting_touchpoint(dedup=Dedup()), open_database=trouble.open) as play:
            trouble.armed = True
            await asyncio.gather(*(send(play, number, body=b"[%d,-%d]" % (number, number)) for number in (1, 2, 3)))
            await play.settled()
            listed = await play.file.log.events(Filter(), limit=100)
            assert Counter(one.event.verdict.value for one in listed) == {"split": 3, "accepted": 6}
            assert {one.deliveries[0].state.value for one in listed if one.item_of} == {"delivered"}
            assert set(bodies(play)) == {b"1", b"-1", b"2", b"-2", b"3", b"-3"}
            assert len(set(play.sender().ids)) == 6
            await until(lambda play=play: play.file.state == "ready")  # type: ignore[misc]
        if not trouble.struck:
            break
        struck += 1
    assert struck >= 3
