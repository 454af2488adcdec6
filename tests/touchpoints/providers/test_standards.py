"""Standard Webhooks in both versions, and Svix, which made it."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.touchpoints.factory import NOW, URL, make_touchpoint
from tests.touchpoints.providers.harness import Case, Variant, post, variants
from tests.touchpoints.providers.libraries import asked, sample_of, signed_by
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Verified
from touchpoints.sign import sign

SECRET, WRONG = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"

# standard-webhooks and svix, tests of every language: what v1 makes of this message.
ID, STAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
# svix/svix-webhooks, server/svix-server/src/worker.rs: the same message by v1a, and the key (private and public half).
WHSK = "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
WHPK = "whpk_" + base64.b64encode(base64.b64decode(WHSK)[32:]).decode()
PRIVATE = Ed25519PrivateKey.from_private_bytes(base64.b64decode(WHSK)[:32])
OTHER_WHPK = "whpk_" + base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()


def _headers(signature: str, now: Micros, prefix: str = "webhook") -> dict[str, str]:
    return {f"{prefix}-id": "msg_1", f"{prefix}-timestamp": str(now // SECOND), f"{prefix}-signature": signature}


def _moment(now: Micros) -> datetime:
    return datetime.fromtimestamp(now // SECOND, UTC)


def _standard(now: Micros) -> Request:
    body = sample_of("standard_webhooks")
    return post(body, _headers(standardwebhooks.Webhook(SECRET).sign("msg_1", _moment(now), body), now))


def _svix(now: Micros) -> Request:
    body = sample_of("svix")
    return post(body, _headers(svix.webhooks.Webhook(SECRET).sign("msg_1", _moment(now), body), now, "svix"))


def _ed25519(name: str, prefix: str, now: Micros) -> Request:
    # standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Asymmetric signatures"
    body = sample_of(name)
    signature = base64.b64encode(PRIVATE.sign(f"msg_1.{now // SECOND}.{body}".encode())).decode()
    return post(body, _headers(f"v1,AAAA v1a,{signature}", now, prefix))


def _case(provider: str, **fields: Any) -> Case:
    event_type = "user.created" if provider == "svix" else "contact.created"
    common = {"provider": provider, "event_type": event_type, "dedup": "msg_1", "stamped": 5 * MINUTE}
    return Case(**{**common, "secret": SECRET, "wrong": WRONG, **fields})


CASES = [
    _case("standard_webhooks", send=_standard, proof="webhook-signature"),
    _case("svix", send=_svix, proof="svix-signature"),
    _case(
        "standard_webhooks",
        name="v1a",
        send=lambda now: _ed25519("standard_webhooks", "webhook", now),
        secret=WHPK,
        wrong=OTHER_WHPK,
        proof="webhook-signature",
    ),
    _case(
        "svix",
        name="v1a",
        send=lambda now: _ed25519("svix", "svix", now),
        secret=WHPK,
        wrong=OTHER_WHPK,
        proof="svix-signature",
    ),
]


@pytest.mark.parametrize(("case", "variant"), variants(CASES))
def test_only_the_rightly_signed_event_is_proved(case: Case, variant: Variant) -> None:
    """The right request is an event; everything that is almost it is refused."""
    variant(case)


@pytest.mark.parametrize("name", ["standard_webhooks", "svix"])
@pytest.mark.parametrize(("secret", "signature"), [(SECRET, V1), (WHPK, V1A)], ids=["v1", "v1a"])
def test_the_published_message(name: str, secret: str, signature: str) -> None:
    """Both versions, among signatures of versions that nobody knows."""
    signed = {"webhook-id": ID, "webhook-timestamp": str(STAMP), "webhook-signature": f"v9,AAAA {signature} v1b,BBBB"}
    touchpoint = make_touchpoint(name, secret)

    assert isinstance(receive(post(BODY, signed, received_at=STAMP * SECOND), touchpoint), Verified)
    other = post(BODY.replace("4}", "5}"), signed, received_at=STAMP * SECOND)
    assert receive(other, touchpoint) == Refused(code="signature_wrong")


@pytest.mark.parametrize("name", ["standard_webhooks", "svix"])
def test_a_version_proves_by_its_own_kind_of_key_alone(name: str) -> None:
    """A signature by v1 is none to who has a public key, and the public key is no secret to sign by."""
    request = _ed25519(name, "webhook", NOW)
    assert receive(request, make_touchpoint(name, SECRET)) == Refused(code="signature_malformed")
    forged = base64.b64encode(base64.b64decode(WHPK.removeprefix("whpk_"))).decode()
    body = sample_of(name)
    signature = standardwebhooks.Webhook(f"whsec_{forged}").sign("msg_1", _moment(NOW), body)
    assert receive(post(body, _headers(signature, NOW)), make_touchpoint(name, WHPK)) == Refused(code="signature_malformed")


@pytest.mark.parametrize("name", ["standard", "svix"])
def test_the_javascript_libraries(name: str) -> None:
    """We prove what each signs, and each proves what we sign now: they read the clock themselves."""
    provider = "standard_webhooks" if name == "standard" else "svix"
    touchpoint, body, prefix = (
        make_touchpoint(provider, SECRET),
        sample_of(provider),
        "webhook" if name == "standard" else "svix",
    )
    theirs = signed_by(f"{name}_sign", secret=SECRET, id="msg_1", timestamp=NOW // SECOND, body=body)
    assert isinstance(receive(post(body, _headers(theirs, NOW, prefix)), touchpoint), Verified)

    now = asked({"ask": "now"})[0] * (SECOND // 1000)
    ours = {key.decode(): value.decode() for key, value in sign(touchpoint, body.encode(), (), now, URL, "m")}
    asking = {"ask": f"{name}_verify", "secret": SECRET, "headers": ours}
    assert asked({**asking, "body": body}, {**asking, "body": body + " "}) == [True, False]
