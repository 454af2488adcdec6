"""Handshakes and pings."""

import pytest

from tests.touchpoints.factory import NOW, URL, make_request, make_touchpoint
from touchpoints.receive import receive
from touchpoints.request import Answer, Received, Refused, Verified
from touchpoints.sign import sign

CHALLENGE = b'{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}'


@pytest.mark.parametrize("secrets", [(), ("secret",)])
def test_woocommerce_gets_its_unsigned_ping_answered(secrets: tuple[str, ...]) -> None:
    """Saving a webhook in WooCommerce works before and after the secret is known."""
    assert receive(make_request(b"webhook_id=12"), make_touchpoint("woocommerce", *secrets)) == Answer()


@pytest.mark.parametrize(
    "body", [b"webhook_id=", b"webhook_id=1&a=2", b"webhook_id=x", b"webhook_id=1\n", b"webhook_id=" + b"1" * 30, b"{}"]
)
def test_only_the_ping_itself_goes_unsigned(body: bytes) -> None:
    """Anything else without a signature is refused."""
    assert receive(make_request(body), make_touchpoint("woocommerce", "secret")) == Refused(code="signature_missing")


def test_a_ping_with_a_signature_must_prove_it() -> None:
    """The exception is for unsigned pings."""
    request = make_request(b"webhook_id=12", ((b"x-wc-webhook-signature", b"A" * 43 + b"="),))

    assert receive(request, make_touchpoint("woocommerce", "secret")) == Refused(code="signature_wrong")


def signed_slack(body: bytes) -> Received:
    """What a signed Slack request comes to."""
    touchpoint = make_touchpoint("slack", "secret")
    return receive(make_request(body, sign(touchpoint, body, (), NOW, URL, "m")), touchpoint)


def test_slack_gets_its_signed_challenge_back() -> None:
    """As plain text, after verification."""
    answer = signed_slack(CHALLENGE)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, b"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")
    assert (b"content-type", b"text/plain; charset=utf-8") in answer.headers


def test_an_unsigned_challenge_is_refused() -> None:
    """A stranger learns nothing once the secret is set."""
    assert receive(make_request(CHALLENGE), make_touchpoint("slack", "secret")) == Refused(code="signature_missing")


def test_in_setup_the_challenge_is_answered_and_events_are_not() -> None:
    """Without a secret, Slack's page can still be filled in."""
    touchpoint = make_touchpoint("slack")

    assert isinstance(receive(make_request(CHALLENGE), touchpoint), Answer)
    assert receive(make_request(b'{"type":"event_callback"}'), touchpoint) == Refused(code="no_secret")


@pytest.mark.parametrize("challenge", ["", "<script>", "a b", "x" * 257, "\\u0000", "\\r\\nX: y"])
def test_a_challenge_of_another_shape_is_not_echoed(challenge: str) -> None:
    """Only what looks like a token goes back."""
    body = f'{{"type":"url_verification","challenge":"{challenge}"}}'.encode()

    assert signed_slack(body) == Answer(status=400)


def test_other_slack_events_are_no_handshake() -> None:
    """An event callback is an event."""
    assert isinstance(signed_slack(b'{"type":"event_callback","event":{"type":"message"},"event_id":"Ev1"}'), Verified)
