"""Touchpoints of every scheme, and why a request to one is refused."""

import pytest

from tests.touchpoints.factory import NOW, URL, WHSEC, make_touchpoint
from touchpoints.event import Headers
from touchpoints.moment import Micros
from touchpoints.request import Request, Wanting
from touchpoints.selector import Reading
from touchpoints.sign import sign
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import verify

SCHEMES = [
    make_touchpoint("shopify", "secret"),
    make_touchpoint("woocommerce", "secret"),
    make_touchpoint("stripe", WHSEC),
    make_touchpoint("github", "secret"),
    make_touchpoint("standard_webhooks", WHSEC),
    make_touchpoint("svix", WHSEC),
    make_touchpoint("slack", "secret"),
    make_touchpoint(
        "generic", "ключ", verification=Verification(signature="header:x-sig", algorithm="sha512", encoding="base64")
    ),
    make_touchpoint(
        "generic",
        "00ff",
        verification=Verification(signature="header:x-sig", algorithm="sha1", key="hex", signed="{method}{url}{body}"),
    ),
    make_touchpoint(
        "generic",
        "secret",
        verification=Verification(signature="header:x-sig", encoding="base64url", key="sha1", signed="{sha256hex_body}"),
    ),
]
HMAC = pytest.mark.parametrize("touchpoint", SCHEMES, ids=lambda one: one.provider)


def why(request: Request, touchpoint: Touchpoint, now: Micros = NOW) -> str:
    """The code of refusal; empty when the sender is proved."""
    refused = verify(Reading(request), touchpoint, now)
    assert not isinstance(refused, Wanting)
    return refused.code if refused else ""


def signed(touchpoint: Touchpoint, body: bytes = b"{}") -> Headers:
    """The headers of a rightly signed request."""
    return sign(touchpoint, body, (), NOW, URL, "msg_1")


def signature_header(touchpoint: Touchpoint) -> str:
    """The header that holds the signature."""
    return touchpoint.verification.signature.split("|")[0].removeprefix("header:")


def value_of(headers: Headers, name: str) -> bytes:
    """A header's value."""
    return next(value for key, value in headers if key == name.encode())


def token(credential: str, *secrets: str, prefix: str = "") -> Touchpoint:
    """A touchpoint with a repeated credential."""
    return make_touchpoint("generic", *secrets, verification=Verification(scheme="token", credential=credential, prefix=prefix))
