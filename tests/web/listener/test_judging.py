"""A request that wants published keys: they are had, and it is judged again, in the listener and before."""

import base64

import pytest

from tests.touchpoints.factory import NOW, make_request
from tests.touchpoints.keys import ec_key, published, signature
from tests.web.listener.key_stand import PLACE, RIGHT, KeyStand, keyed
from tests.web.listener.scene import Scene, exchange, status
from touchpoints.event import Headers, Verdict
from touchpoints.judge import LARGE
from touchpoints.provider import provider
from touchpoints.request import Refused, Request, Verified
from web.listener.judging import MOST_PLACES, NO_KEY_SOURCE, judge_by

pytestmark = pytest.mark.anyio

BODY = b'{"id":1}'


def signed(body: bytes = BODY, name: bytes = b"one", key: str = "") -> Headers:
    return ((b"x-sig", base64.b64encode(signature("ecdsa-sha256", ec_key(key), body))), (b"x-key", name))


def request(body: bytes = BODY, **fields: str) -> Request:
    return make_request(body, signed(body), **fields)


async def test_what_is_at_hand_is_not_fetched() -> None:
    """The usual case waits for nothing."""
    stand = KeyStand()
    stand.at_hand = {PLACE: RIGHT}
    judged = await judge_by(stand, request(), keyed(), seconds=3)
    assert isinstance(judged.received, Verified)
    assert stand.asked == []


@pytest.mark.parametrize("body", [BODY, b"x" * (LARGE + 1)])
async def test_what_is_wanted_is_fetched_and_then_it_is_verified(body: bytes) -> None:
    """Small, and so large that a thread judges it."""
    stand = KeyStand(RIGHT)
    judged = await judge_by(stand, request(body), keyed(), seconds=3)
    assert isinstance(judged.received, Verified)
    assert (stand.asked, stand.sizes, stand.senders) == ([PLACE], [len(body)], ["192.0.2.1"])
    assert stand.patience == [3]


async def test_keys_that_are_not_to_be_had_leave_it_open() -> None:
    """It may be right a moment later."""
    for source in (KeyStand(), NO_KEY_SOURCE):
        judged = await judge_by(source, request(), keyed(), seconds=3)
        assert judged.received == Refused(code="key_unavailable")


async def test_a_key_that_is_not_among_them_is_unknown() -> None:
    """It waits once, for as long as it may; then it only looks whether more is there."""
    for at_hand in ({}, {PLACE: RIGHT}):
        stand = KeyStand(RIGHT)
        stand.at_hand = at_hand
        judged = await judge_by(stand, make_request(BODY, signed(name=b"new")), keyed(), seconds=3)
        assert judged.received == Refused(code="key_unknown")
        assert stand.patience == [3, 0]
        stand.to_be_had = {PLACE: published(PLACE, one=ec_key(), new=ec_key())}
        judged = await judge_by(stand, make_request(BODY, signed(name=b"new")), keyed(), seconds=3)
        assert isinstance(judged.received, Verified)


async def test_keys_that_are_older_than_the_request_tell_nothing_of_a_new_one() -> None:
    """They were not fetched again, perhaps because a stranger had just named keys that nobody has: its sender comes again."""
    old = published(PLACE, NOW - 1, one=ec_key())
    judged = await judge_by(KeyStand(old), make_request(BODY, signed(name=b"new")), keyed(), seconds=3)
    assert judged.received == Refused(code="key_unavailable")
    judged = await judge_by(KeyStand(old), make_request(BODY, signed()), keyed(), seconds=3)
    assert isinstance(judged.received, Verified)


async def test_a_wrong_signature_is_wrong_though_it_had_to_be_fetched_for() -> None:
    """With the body's hash, as of every judged request."""
    judged = await judge_by(KeyStand(RIGHT), make_request(BODY, signed(key="other")), keyed(), seconds=3)
    assert judged.received == Refused(code="signature_wrong")
    assert len(judged.digest) == 32


def posted(headers: Headers) -> bytes:
    lines = [b"POST /hooks/orders HTTP/1.1", b"Host: hooks.test", *(b": ".join(pair) for pair in headers)]
    return b"\r\n".join([*lines, b"Connection: close", b"Content-Length: %d" % len(BODY), b"", BODY])


async def test_the_listener_takes_waits_or_refuses() -> None:
    """200 once the key is there; 503 while it is not to be had, so that the sender comes again; 401 for a wrong one."""
    stand = KeyStand()
    scene = Scene(touchpoints=(keyed(),), published=stand)
    async with scene.listening() as listener:
        answer = await exchange(listener, posted(signed()))
        assert status(answer) == 503
        assert b"retry-after: 30" in answer
        assert [(event.reason, event.verdict) for event, _ in scene.refused] == [("key_unavailable", Verdict.REFUSED)]
        stand.to_be_had = {PLACE: RIGHT}
        assert status(await exchange(listener, posted(signed()))) == 200
        assert status(await exchange(listener, posted(signed(name=b"new")))) == 401
        assert status(await exchange(listener, posted(signed(key="other")))) == 401
    assert [arrival.body for arrival in scene.kept.arrivals] == [BODY]
    assert [event.reason for event, _ in scene.refused[1:]] == ["key_unknown", "signature_wrong"]
    assert scene.budget.used == 0


async def test_a_request_that_wants_many_places_gets_few() -> None:
    """Each is a fetch."""
    stand = KeyStand()
    secrets = tuple(f"client{number}:secret" for number in range(30))
    header = base64.b64encode(b'{"kid":"one","signature":"AAAA"}')
    touchpoint = keyed(verification=provider("ebay").verification(), secrets=secrets)
    judged = await judge_by(stand, make_request(BODY, ((b"x-ebay-signature", header),)), touchpoint, seconds=3)
    assert judged.received == Refused(code="key_unavailable")
    assert len(stand.asked) == MOST_PLACES
