"""Events over the API."""

import base64
import json

import pytest

from store.log import RecordedAttempt
from tests.web.api.stand_in import MACHINE_TOKEN, NOW, ODD_HEADERS, StandIn, delivery, event
from touchpoints.attempt import Blame
from touchpoints.event import Verdict
from touchpoints.moment import HOUR
from web.api.event_shape import SHOWN_BODY

pytestmark = pytest.mark.anyio


async def test_events_are_paged_by_key(stand_in: StandIn) -> None:
    """Following `next_before` shows every event once, newest first, and ends with null."""
    for number in range(1, 8):
        stand_in.log.keep(event(number), b"{}", delivery(event(number)))
    seen, before = [], None
    async with stand_in.client() as client:
        while True:
            params = {"limit": 3} | ({"before": before} if before else {})
            page = (await client.get("/api/v1/events", params=params)).json()
            seen += [one["id"] for one in page["events"]]
            before = page["next_before"]
            if before is None:
                break
    assert seen == [event(number).id for number in range(7, 0, -1)]


async def test_filters_reach_the_log(stand_in: StandIn) -> None:
    """Names become numbers and times become moments; a name nobody knows is refused."""
    query = {"id": ["A", "b"], "reference": "1042", "key": "k", "since": "36h", "touchpoint": "orders", "destination": "erp"}
    async with stand_in.client() as client:
        assert (await client.get("/api/v1/events", params=query | {"state": "held", "tests": "true"})).status_code == 200
        assert (await client.get("/api/v1/events", params={"touchpoint": "nobody"})).status_code == 400
    (which,) = stand_in.log.asked
    assert (which.ids, which.reference, which.dedup_key) == (("a", "b"), "1042", "k")
    assert (which.since, which.touchpoint, which.destination) == (NOW - 36 * HOUR, 1, 11)
    assert (which.state, which.tests) == ("held", True)


async def test_an_event_is_shown_with_its_timeline(stand_in: StandIn) -> None:
    """By a delivery's id as well; attempts, headers and a readable body are there; credentials are hidden."""
    one = event(1, headers=ODD_HEADERS, target="/hooks/orders?shop=a&token=hush&flag")
    stand_in.log.keep(one, b'{"n":1}', delivery(one))
    stand_in.log.attempts = (
        RecordedAttempt(
            delivery_id=delivery(one).id,
            number=1,
            started_at=NOW,
            duration=1500,
            outcome="failed",
            blame=Blame.EVENT,
            http_status=400,
            error_code="http_status",
            error="400",
            answer=b"no\xff",
            next_attempt_at=NOW + HOUR,
        ),
    )
    async with stand_in.client() as client:
        shown = (await client.get(f"/api/v1/events/{delivery(one).id}")).json()
    assert shown["event"]["deliveries"][0]["destination"] == "erp"
    assert shown["attempts"][0]["duration_ms"] == 1.5
    assert shown["body"]["text"] == '{"n":1}'
    assert shown["body"]["sha256"] == one.body_hash.hex()
    assert shown["headers"] == [
        ["authorization", "(hidden)"],
        ["x-shopify-topic", "orders/create"],
        ["x-odd", "\x1b]0;\xff\x00"],
    ]
    assert shown["target"] == "/hooks/orders?shop=a&token=(hidden)&flag"


async def test_a_touchpoints_own_credential_is_hidden(stand_in: StandIn) -> None:
    """A header or parameter that a touchpoint takes its secret from is hidden, whatever its name."""
    one = event(1, touchpoint=2, headers=((b"x-stock-pass", b"hush"),), target="/hooks/stock?entry=hush&id=7")
    stand_in.log.keep(one, b"")
    async with stand_in.client() as client:
        answer = await client.get(f"/api/v1/events/{one.id}")
    assert "hush" not in answer.text
    assert "id=7" in answer.json()["target"]


@pytest.mark.parametrize(
    ("body", "text", "encoded"),
    [
        ("grüße\0".encode(), "grüße\0", None),
        (b"\xff\xfe", None, base64.b64encode(b"\xff\xfe").decode()),
        (b"x" * (SHOWN_BODY + 1), None, None),
        (None, None, None),
    ],
)
async def test_a_body_is_shown_as_what_it_is(
    stand_in: StandIn, body: bytes | None, text: str | None, encoded: str | None
) -> None:
    """UTF-8 as text, other bytes as base64, large and pruned ones not at all."""
    stand_in.log.keep(event(1), b"")
    stand_in.log.bodies = {} if body is None else {event(1).id: body}
    async with stand_in.client() as client:
        shown = json.loads((await client.get(f"/api/v1/events/{event(1).id}")).text)["body"]
    assert (shown["text"], shown["base64"], shown["stored"]) == (text, encoded, body is not None)


async def test_a_body_is_fetched_as_an_inert_file(stand_in: StandIn) -> None:
    """The exact bytes, never of a type a browser would run; a pruned one is 404."""
    stand_in.log.keep(event(1, headers=((b"content-type", b"text/html"),)), b"<script>\x00\xff")
    async with stand_in.client() as client:
        answer = await client.get(f"/api/v1/events/{event(1).id}/body")
        missing = await client.get(f"/api/v1/events/{event(2).id}/body")
        unknown = await client.get(f"/api/v1/events/{event(2).id}")
    assert answer.content == b"<script>\x00\xff"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert (missing.status_code, missing.json()["problems"][0]["code"]) == (404, "no_such_body")
    assert (unknown.status_code, unknown.json()["problems"][0]["code"]) == (404, "no_such_event")


async def test_an_action_names_what_it_means(stand_in: StandIn) -> None:
    """Without ids, filter or `all` nothing is done; with one, the filter, the dry run and the actor reach the process."""
    async with stand_in.client() as client:
        bare = await client.post("/api/v1/events/act/replay", json={"dry_run": True})
        assert bare.json()["problems"][0]["code"] == "nothing_chosen"
        assert (await client.post("/api/v1/events/act/replay", json={"destinaton": "erp"})).status_code == 400
        assert stand_in.control.calls == []
        done = (await client.post("/api/v1/events/act/replay", json={"state": "delivered", "dry_run": True})).json()
        everything = await client.post("/api/v1/events/act/hold", json={"all": True})
    assert done == {
        "action": "replay", "dry_run": True, "matched": 3, "changed": 2, "skipped": 1, "ids": ["a", "b"], "more": False,
    }  # fmt: skip
    assert everything.status_code == 200
    _, action, which, dry_run, actor = stand_in.control.calls[0]
    assert (action, which.state, dry_run, actor.name) == ("replay", "delivered", True, "machine")
    assert MACHINE_TOKEN not in repr(actor)


@pytest.mark.parametrize(("verdict", "shown"), [(Verdict.ACCEPTED, "(hidden)"), (Verdict.REFUSED, "5ig")])
async def test_a_signature_that_fits_is_hidden(stand_in: StandIn, verdict: Verdict, shown: str) -> None:
    """Who may only read could post the body again with it; of a refused event it helps to find the mistake."""
    one = event(1, touchpoint=3, verdict=verdict, headers=((b"x-sum", b"5ig"),), target="/hooks/parts?%74oken=hush")
    stand_in.log.keep(one, b"{}")
    async with stand_in.client() as client:
        answer = (await client.get(f"/api/v1/events/{one.id}")).json()
    assert answer["headers"] == [["x-sum", shown]]
    assert answer["target"] == "/hooks/parts?%74oken=(hidden)"
