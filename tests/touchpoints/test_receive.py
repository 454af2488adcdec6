"""Receiving: what a request comes to."""

import hashlib
from dataclasses import replace

import pytest

from tests.touchpoints.factory import NOW, URL, make_request, make_touchpoint, replaced
from touchpoints.event import Headers
from touchpoints.receive import MOST_HOPS, receive
from touchpoints.request import Received, Refused, Verified
from touchpoints.sign import sign
from touchpoints.touchpoint import Dedup, Touchpoint

ORDER = b'{"id": 1, "order_number": 1042, "name": "#1042", "type": "x"}'


def received(touchpoint: Touchpoint, body: bytes = ORDER, extra: Headers = (), drop: str = "") -> Received:
    """What a rightly signed request comes to, after headers were added or one was dropped."""
    headers = sign(touchpoint, body, (), NOW, URL, "m-1")
    return receive(make_request(body, (*(replaced(headers, drop) if drop else headers), *extra)), touchpoint)


def test_a_signed_event_is_verified_and_read() -> None:
    """Type, key and reference are taken out on the way."""
    assert received(make_touchpoint("shopify", "secret")) == Verified(
        event_type="orders/create", dedup_key="7:m-1", id_signed=False, reference="1042"
    )


def test_what_is_missing_is_empty() -> None:
    """An extraction that fails is no error."""
    touchpoint = make_touchpoint("shopify", "secret")

    assert received(touchpoint, b"not json", drop="x-shopify-topic") == Verified(dedup_key="7:m-1", id_signed=False)
    assert received(touchpoint, drop="x-shopify-webhook-id") == Verified(
        event_type="orders/create", id_signed=False, reference="1042"
    )


def test_two_touchpoints_have_their_own_keys() -> None:
    """The same event may rightly come to both."""
    one = received(make_touchpoint("stripe", "secret", id=1))
    other = received(make_touchpoint("stripe", "secret", id=2))

    assert isinstance(one, Verified)
    assert isinstance(other, Verified)
    assert (one.dedup_key, other.dedup_key) == ("1:1", "2:1")


def test_long_values_are_bounded() -> None:
    """A key becomes its hash, so that two long ones stay apart; the others are cut."""
    touchpoint = make_touchpoint("stripe", "secret", reference="json:/id", event_type="json:/id")
    long = "é" * 5000
    verified = received(touchpoint, f'{{"id": "{long}"}}'.encode())

    assert isinstance(verified, Verified)
    assert verified.dedup_key == "7:sha256:" + hashlib.sha256(long.encode()).hexdigest()
    assert verified.reference == verified.event_type == "é" * 512


def test_the_whole_body_can_be_the_key() -> None:
    """For senders without ids."""
    touchpoint = make_touchpoint("shopify", "secret", dedup=Dedup(key="body"))
    verified = received(touchpoint)

    assert isinstance(verified, Verified)
    assert verified.dedup_key == "7:sha256:" + hashlib.sha256(ORDER).hexdigest()


@pytest.mark.parametrize(
    ("value", "hop"), [(b"3", 3), (b"8", 8), (b"", 0), (b"-1", 0), (b"x", 0), (b"\xb2", 0), (b"9" * 400, 0)]
)
def test_hops_are_counted(value: bytes, hop: int) -> None:
    """What is not a plain number counts as never passed on."""
    verified = received(make_touchpoint("shopify", "secret"), extra=((b"hookport-hop", value),))

    assert isinstance(verified, Verified)
    assert verified.hop == hop


def test_a_loop_is_cut() -> None:
    """Above eight hops an event is refused, whichever of several headers says so."""
    extra = ((b"hookport-hop", b"1"), (b"hookport-hop", str(MOST_HOPS + 1).encode()))

    assert received(make_touchpoint("shopify", "secret"), extra=extra) == Refused(code="hop_limit")


def test_a_later_second_look_judges_by_the_time_of_receipt() -> None:
    """A refused event can be verified again when its secret has been mended, however old it has become."""
    wrong = make_touchpoint("stripe", "wrong")
    right = replace(wrong, secrets=("right",))
    request = make_request(ORDER, sign(right, ORDER, (), NOW, URL, "m-1"))

    assert receive(request, wrong) == Refused(code="signature_wrong")
    assert isinstance(receive(request, right), Verified)
