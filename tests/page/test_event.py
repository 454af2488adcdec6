"""An event on the page: told in sentences, and harmless whatever a stranger put into it."""

from dataclasses import replace
from pathlib import Path

import pytest

from store.log import RecordedAttempt
from tests.web.api.stand_in import NOW, SETTINGS, StandIn, delivery, event
from touchpoints.attempt import Blame
from touchpoints.delivery import DeliveryState
from touchpoints.event import Verdict
from touchpoints.moment import HOUR
from web.export.names import names_of
from web.page.body_view import view_body
from web.page.event_view import answer_said, sentence
from web.page.times import Times

pytestmark = pytest.mark.anyio

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(spool=tmp_path)


def attempt(answer: bytes = b'{"message": "unknown SKU 88-12"}', status: int | None = 422) -> RecordedAttempt:
    return RecordedAttempt(
        delivery_id=delivery(event(1)).id,
        number=1,
        started_at=NOW,
        duration=1500,
        outcome="failed",
        blame=Blame.EVENT,
        http_status=status,
        error_code="http_status",
        error="it said no",
        answer=answer,
        next_attempt_at=NOW + HOUR,
    )


def test_a_failure_is_told_with_its_reason_and_what_is_next() -> None:
    """The destination's own words, its status, and when it is tried again."""
    later = replace(delivery(event(1)), due_at=NOW + HOUR)
    told = str(sentence(later, [attempt()], names_of(SETTINGS), Times(now=NOW)))
    assert told.startswith("erp refused it (HTTP 422: unknown SKU 88-12). We&#39;ll try again at <time ")
    given_up = replace(later, state=DeliveryState.GIVEN_UP, attempts=3)
    assert "gave up after 3 tries" in sentence(given_up, [attempt(status=None)], names_of(SETTINGS), Times(now=NOW))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>no", ""),
        (b"plain no.\nmore", "plain no"),
        (b'{"errors": [{"detail": "x"}]}', "x"),
        (b"\xff\x1b", "\ufffd\\x1b"),
        (b"[" * 9999, ""),
    ],
)
def test_what_a_destination_said_is_found(answer: bytes, said: str) -> None:
    """A message in JSON or the first plain line, never a page or control characters."""
    assert answer_said(answer) == said


async def test_nothing_a_stranger_sent_is_markup(stand_in: StandIn) -> None:
    """Header, path, type, number, body and answer stand as text, in the panel as on the page."""
    one = event(
        1,
        headers=((b"x-evil", EVIL.encode()),),
        target=f"/hooks/orders?{EVIL}",
        event_type=EVIL,
        reference=EVIL,
        dedup_key=EVIL,
    )
    stand_in.log.keep(one, EVIL.encode(), delivery(one))
    stand_in.log.attempts = (attempt(EVIL.encode()),)
    stand_in.log.exported = []
    async with stand_in.signed_in() as client:
        for path in (
            "/events",
            f"/events/{one.id}",
            f"/events?open={one.id}",
            f"/events/{one.id}/body?as=raw",
            f"/search?q=zz{EVIL}",
        ):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text
            assert answer.headers["content-type"].startswith("text/html")
            assert "script-src 'self'" in answer.headers["content-security-policy"]
        panel = await client.get(f"/events/{one.id}", headers={"hx-request": "true"})
    assert "<html" not in panel.text
    assert "<script>" not in panel.text
    assert "&lt;script&gt;" in panel.text


async def test_credentials_stay_hidden(stand_in: StandIn) -> None:
    """As in the API."""
    one = event(1, headers=((b"authorization", b"Basic hush"),), target="/hooks/orders?token=hush")
    stand_in.log.keep(one, b"{}")
    async with stand_in.signed_in() as client:
        assert "hush" not in (await client.get(f"/events/{one.id}")).text


def test_a_body_is_laid_out_from_its_own_characters() -> None:
    """Numbers and repeated keys stay as sent; XML is not parsed; binary is shown byte by byte; all is bounded."""
    assert view_body(b'{"a":1.0,"a":[1,{}],"b":"{,"}').text == '{\n  "a": 1.0,\n  "a": [\n    1,\n    {}\n  ],\n  "b": "{,"\n}'
    assert view_body(b"<a><b>x</b></a>").text == "<a>\n  <b>\n    x\n  </b>\n</a>"
    assert view_body(b"a=1&b=%20x").text == "a: 1\nb:  x"
    assert view_body(b"\xff\x00").text == "00000000  ff 00                                             .."
    assert view_body(b"[" * 100_000).way == "raw"
    assert view_body(b"x" * 300_000).cut
    assert view_body("a\u202eb\x1b".encode()).text == "a\\u202eb\\x1b"


async def test_a_split_event_leads_to_its_items_and_each_back(stand_in: StandIn) -> None:
    """It offers no deed of its own; of very many items the first hundred are links."""
    whole = event(1, verdict=Verdict.SPLIT)
    stand_in.log.keep(whole, b"[1,2]")
    for number in range(2, 104):
        stand_in.log.keep(event(number), b"1", delivery(event(number)), item_of=whole.id)
    async with stand_in.signed_in() as client:
        page = (await client.get(f"/events/{whole.id}")).text
        item = (await client.get(f"/events/{event(2).id}")).text
        stand_in.log.listed = stand_in.log.listed[-1:]
        listed = (await client.get("/events?state=split")).text
    assert "The 102 events in it" in page
    assert "run each on its own" in page
    assert page.count('<li><a href="/events/') == 100
    assert "And 2 more" in page
    assert "/events/act/" not in page
    assert f'<a href="/events/{whole.id}">See the request</a>' in item
    assert "each item runs as an event of its own" in listed
    assert stand_in.log.asked[-1].state == "split"
