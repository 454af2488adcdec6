"""A destination that repeats our own secrets in its answer."""

import base64

import pytest

from tests.touchpoints.destinations.jobs import NOW, job
from tests.touchpoints.destinations.raw_server import serving, status
from touchpoints.attempt import Failed
from touchpoints.destinations.hush import hush, hush_received
from touchpoints.destinations.registry import open_sender
from touchpoints.touchpoint import Auth, HttpDestination

pytestmark = pytest.mark.anyio

DESTINATION = HttpDestination(
    id=1,
    name="erp",
    url="http://127.0.0.1/in?token=hush-in-url",
    headers=(("X-Api-Key", "hush/header"), ("X-Plain", "harmless")),
    query=(("k", "hush query"),),
    auth=Auth(kind="basic", username="ann", secret="hush-password"),
)


@pytest.mark.parametrize(
    "said",
    [
        b"hush-in-url",
        b"hush/header",
        b"hush\\/header",
        b"hush%2Fheader",
        b"hush%20query",
        b"hush-password",
        base64.b64encode(b"ann:hush-password"),
    ],
)
def test_every_form_of_a_secret_is_blotted_out(said: bytes) -> None:
    """And what stands around it stays."""
    assert hush(DESTINATION)(b"got: " + said + b"; harmless") == b"got: [secret]; harmless"


def test_a_short_value_blots_out_nothing() -> None:
    """It would stand in too much that is harmless."""
    short = HttpDestination(id=1, name="erp", url="http://127.0.0.1/", query=(("v", "2"),))
    assert hush(short)(b"1 2 3") == b"1 2 3"


def test_a_senders_token_is_blotted_out_too() -> None:
    """By the name of its header; other headers are the event's own."""
    headers = ((b"x-gitlab-token", b"hush-of-gitlab"), (b"x-event", b"Push Hook"))
    assert hush_received(b"Push Hook, hush-of-gitlab", headers) == b"Push Hook, [secret]"


async def test_neither_error_nor_answer_of_an_attempt_holds_it() -> None:
    """What is kept, shown and told of it."""
    async with serving(status("500 Internal Server Error", body="no entry with Bearer hush-bearer-token")) as server:
        to = HttpDestination(
            id=1, name="erp", url=server.url, auth=Auth(kind="bearer", secret="hush-bearer-token"), proxy="none"
        )
        sender = open_sender(to, environment={}, now=lambda: NOW)
        outcome = await sender.attempt(job(), touchpoint="orders")
        await sender.aclose()
    assert isinstance(outcome, Failed)
    assert outcome.answer == b"no entry with Bearer [secret]"
    assert outcome.error.endswith("no entry with Bearer [secret].")
