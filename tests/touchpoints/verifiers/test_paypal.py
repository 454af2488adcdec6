"""PayPal's transmissions, right, wrong and hostile."""

import base64
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, make_request, make_touchpoint, replaced
from tests.touchpoints.keys import certificate, ec_key, published, rsa_key, signature
from tests.touchpoints.verifiers.keyed import at_hand, outcome
from touchpoints.event import Headers
from touchpoints.key_reading import read_published
from touchpoints.published_key import KeyPlace
from touchpoints.touchpoint import Verification

WEBHOOK = "8PT597110X687430LKGECATA"
URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
PLACE = KeyPlace(kind="x509", url=URL)
KEYS = at_hand(published(PLACE, _=rsa_key()))
BODY = b'{"id":"WH-9UG43882HX7271132-6E0871324L7949614","event_type":"PAYMENT.SALE.COMPLETED"}'
NAMES = ["paypal-transmission-id", "paypal-transmission-time", "paypal-transmission-sig", "paypal-cert-url", "paypal-auth-algo"]


def sent(body: bytes = BODY, webhook: str = WEBHOOK, url: str = URL) -> Headers:
    """As https://developer.paypal.com/api/rest/webhooks/rest describes it."""
    id_, time = "d938e770-8046-11e6-8103-6b62a8a99ac4", "2016-09-21T22:00:46Z"
    text = f"{id_}|{time}|{webhook}|{zlib.crc32(body)}"
    mark = base64.b64encode(signature("rsa-sha256", rsa_key(), text.encode())).decode()
    values = zip(NAMES, (id_, time, mark, url, "SHA256withRSA"), strict=True)
    return tuple((name.encode(), value.encode()) for name, value in values)


def why(body: bytes = BODY, headers: Headers | None = None, *webhooks: str, keys: Any = KEYS) -> Any:
    headers = sent(body) if headers is None else headers
    return outcome(make_request(body, headers), make_touchpoint("paypal", *(webhooks or (WEBHOOK,))), keys)


def test_a_transmission_to_our_webhook_is_proved() -> None:
    """By its checksum; every merchant's is signed with the same certificate, so the webhook's id is what tells ours."""
    assert why() == ""
    assert why(b"") == ""
    assert why(BODY, None, "OTHER", WEBHOOK) == ""
    assert why(BODY, None, f" {WEBHOOK}\n") == ""
    assert why(BODY, None, "OTHER") == "signature_wrong"
    assert why(BODY + b" ", sent()) == "signature_wrong"
    assert why(keys=at_hand(published(PLACE, _=rsa_key("other")))) == "signature_wrong"
    assert why(keys=at_hand(published(PLACE, _=ec_key()))) == "signature_wrong"


@pytest.mark.parametrize("name", NAMES)
def test_each_header_is_there_once(name: str) -> None:
    """Missing, repeated or endless, it proves nothing; and each of those that are signed cannot be changed."""
    headers = sent()
    (value,) = (value for key, value in headers if key == name.encode())
    assert why(BODY, replaced(headers, name)) == "signature_missing"
    assert why(BODY, replaced(headers, name, value, value)) == "signature_ambiguous"
    assert why(BODY, replaced(headers, name, value + b"x" * 3000)) == "signature_malformed"
    assert why(BODY, replaced(headers, name, b"")) != ""
    assert why(BODY, replaced(headers, name, value + b"x")) != ""


def test_the_bar_that_divides_what_is_signed_stands_in_no_part() -> None:
    """Else two different transmissions would be signed alike."""
    headers = replaced(sent(), "paypal-transmission-id", b"a|b")
    assert why(BODY, headers) == "signature_malformed"


def test_only_the_algorithm_of_paypal_is_taken() -> None:
    """The request's own word is not followed."""
    for algorithm in (b"none", b"SHA1withRSA", b"sha256withrsa"):
        assert why(BODY, replaced(sent(), "paypal-auth-algo", algorithm)) == "algorithm_not_allowed"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x=y",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/v1/payments/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://www.paypal.com/v1/notifications/certs/CERT-1",
    ],
)
def test_no_other_address_is_asked_for_a_certificate(url: str) -> None:
    """Only where PayPal keeps them."""
    assert why(BODY, sent(url=url), keys={}) == "key_untrusted"


def test_the_hosts_of_the_providers_file_are_the_only_ones() -> None:
    """Where it names none, ours are."""

    def of(*hosts: str) -> Any:
        made = make_touchpoint("paypal", WEBHOOK, verification=Verification(scheme="paypal", key_hosts=hosts))
        return outcome(make_request(BODY, sent()), made, KEYS)

    assert of() == ""
    assert of("api.paypal.com") == ""
    assert of("api.sandbox.paypal.com") == "key_untrusted"


def test_the_sandbox_is_pinned_too() -> None:
    """Its certificate stands on another host."""
    url = URL.replace("api.", "api.sandbox.")
    assert why(BODY, sent(url=url), keys={}) == (KeyPlace(kind="x509", url=url),)


def test_the_certificate_is_wanted_until_it_is_at_hand_and_must_be_valid() -> None:
    """By its own dates."""
    assert why(keys={}) == (PLACE,)
    for starts, ends, code in ((-9, 9, ""), (-9, -1, "certificate_expired"), (1, 9, "certificate_expired")):
        read = read_published(PLACE, certificate(rsa_key(), starts=starts, ends=ends).encode(), NOW)
        assert why(keys=at_hand(read)) == code


@given(st.lists(st.tuples(st.sampled_from([name.encode() for name in NAMES]), st.binary(max_size=40)), max_size=7))
def test_no_headers_raise_and_none_are_proved_by_chance(headers: list[tuple[bytes, bytes]]) -> None:
    """Whatever stands in them."""
    assert why(BODY, tuple(headers)) != ""
    for name, value in headers:
        if (name, value) not in sent():
            assert why(BODY, replaced(sent(), name.decode(), value)) != ""
