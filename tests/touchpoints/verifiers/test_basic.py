"""HTTP Basic."""

import base64
from dataclasses import replace

import pytest

from tests.touchpoints.factory import make_request, make_touchpoint
from tests.touchpoints.proving import why
from touchpoints.touchpoint import Verification


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"Basic " + base64.b64encode("jo:pä:ss".encode()), ""),
        (b"bAsIc  " + base64.b64encode("jo:pä:ss".encode()), ""),
        (b"Basic " + base64.b64encode(b"jo:wrong"), "credential_wrong"),
        (b"Basic " + base64.b64encode(b"no colon"), "credential_malformed"),
        (b"Bearer " + base64.b64encode(b"jo:x"), "credential_malformed"),
        (b"Basic", "credential_malformed"),
        (b"Basic \xff\xfe", "credential_malformed"),
        (b"Basic !!!!", "credential_malformed"),
        (b"Basic " + base64.b64encode("jo:pä:ss".encode()) + b"!", "credential_malformed"),
        (b"Basic !" + base64.b64encode("jo:pä:ss".encode()), "credential_malformed"),
        (b"", "credential_malformed"),
    ],
)
def test_http_basic(value: bytes, code: str) -> None:
    """User name and password together are the secret."""
    touchpoint = make_touchpoint("generic", "jo:pä:ss", verification=Verification(scheme="basic"))

    assert why(make_request(headers=((b"authorization", value),)), touchpoint) == code
    assert why(make_request(headers=((b"authorization", value),) * 2), touchpoint) == "signature_ambiguous"
    assert why(make_request(), touchpoint) == "credential_missing"
    assert why(make_request(), replace(touchpoint, secrets=())) == "no_secret"


def test_any_of_several_secrets_will_do() -> None:
    """While one takes another's place."""
    touchpoint = make_touchpoint("generic", "jo:new", "jo:old", verification=Verification(scheme="basic"))
    for pair, code in ((b"jo:new", ""), (b"jo:old", ""), (b"jo:other", "credential_wrong")):
        assert why(make_request(headers=((b"authorization", b"Basic " + base64.b64encode(pair)),)), touchpoint) == code
