"""HubSpot: three versions of its signature, of which the newest that is there decides."""

import json
from dataclasses import replace

import pytest
from hubspot.utils.signature import Signature

from tests.touchpoints.factory import NOW, URL, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, changed, post, variants, without
from tests.touchpoints.providers.hmacs import RIGHT, WRONG
from tests.touchpoints.proving import signed, value_of, why
from touchpoints.moment import MINUTE, Micros
from touchpoints.provider import provider
from touchpoints.request import Request, Verified

_BODY = provider("hubspot").sample.body


def _v3(now: Micros, url: str = URL, signed_url: str = URL) -> Request:
    stamp = str(now // 1000)
    signature = Signature.get_signature(RIGHT, _BODY, "v3", signed_url, "POST", stamp)
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    old = {"X-HubSpot-Signature": "0" * 64, "X-HubSpot-Signature-Version": "v1"}  # comes along, and decides nothing
    return post(_BODY, headers | old, url=url)


def _older(version: str) -> Request:
    signature = Signature.get_signature(RIGHT, _BODY, version, URL, "POST")
    return post(_BODY, {"X-HubSpot-Signature": signature, "X-HubSpot-Signature-Version": version})


def _moved(request: Request) -> tuple[Request, ...]:
    return (*changed(request), replace(request, url=URL + "?a=b"), replace(request, method="PUT"))


CASES = [
    Case(
        provider="hubspot",
        name="v3",
        send=_v3,
        secret=RIGHT,
        wrong=WRONG,
        event_type="deal.creation",
        reference="1042",
        stamped=5 * MINUTE,
        tampered=_moved,
    ),
    Case(
        provider="hubspot",
        name="v2",
        send=lambda _now: _older("v2"),
        secret=RIGHT,
        wrong=WRONG,
        proof="x-hubspot-signature",
        event_type="deal.creation",
        reference="1042",
        tampered=_moved,
    ),
    Case(
        provider="hubspot",
        name="v1",
        send=lambda _now: _older("v1"),
        secret=RIGHT,
        wrong=WRONG,
        proof="x-hubspot-signature",
        event_type="deal.creation",
        reference="1042",
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


def test_an_older_signature_is_no_way_around_the_newest() -> None:
    """Where version 3 is there and wrong, a right older one does not help."""
    older = _older("v1")
    both = replace(
        older, headers=(*older.headers, *(pair for pair in _v3(NOW).headers if b"v3" in pair[0] or b"time" in pair[0]))
    )
    assert why(both, make_touchpoint("hubspot", RIGHT)) == ""

    wrong = replace(both, headers=tuple((k, b"A" * 43 + b"=" if k.endswith(b"-v3") else v) for k, v in both.headers))
    assert why(wrong, make_touchpoint("hubspot", RIGHT)) == "signature_wrong"


def test_a_version_that_is_not_said_is_none() -> None:
    """Two hashes look alike: which of them it is has to be said."""
    assert why(without(_older("v2"), "x-hubspot-signature-version"), make_touchpoint("hubspot", RIGHT)) == "signature_missing"


def test_version_3_signs_the_url_without_some_of_its_escapes() -> None:
    """developers.hubspot.com: validating requests, the table of escapes that are undone."""
    sent = URL + "?q=a%3Ab%2Fc%20d&at=%40"
    assert why(_v3(NOW, sent, URL + "?q=a:b/c%20d&at=@"), make_touchpoint("hubspot", RIGHT)) == ""
    assert why(_v3(NOW, sent, sent), make_touchpoint("hubspot", RIGHT)) == "signature_wrong"


def test_what_we_sign_the_library_makes_too() -> None:
    """The same signature for the same request."""
    headers = signed(make_touchpoint("hubspot", RIGHT), _BODY.encode())
    stamp = value_of(headers, "x-hubspot-request-timestamp").decode()

    ours = value_of(headers, "x-hubspot-signature-v3").decode()
    assert ours == Signature.get_signature(RIGHT, _BODY, "v3", URL, "POST", stamp)


def test_one_event_of_a_split_body_has_a_key_of_its_own() -> None:
    """The id alone is not unique, by HubSpot's own words."""
    item = json.dumps(json.loads(_BODY)[0])
    stamp = str(NOW // 1000)
    signature = Signature.get_signature(RIGHT, item, "v3", URL, "POST", stamp)
    case = CASES[0]
    received = case.receive(post(item, {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}), RIGHT)

    assert isinstance(received, Verified)
    assert received.dedup_key == "7:3816279340:25:1042:1767225600000"
    assert received.event_type == "deal.creation"
