"""Plain hashes over a template with the secret."""

import hashlib
from dataclasses import replace

import pytest

from tests.touchpoints.factory import NOW, URL, make_request, make_touchpoint
from tests.touchpoints.proving import why
from touchpoints.moment import MINUTE, SECOND
from touchpoints.touchpoint import Verification
from touchpoints.verification import verification_problem

V1 = Verification(scheme="hash_prefix", signature="header:x-sig", signed="{secret}{body}")
V2 = replace(V1, signed="{secret}{method}{url}{body}")


def hashed(text: bytes, algorithm: str = "sha256") -> tuple[tuple[bytes, bytes], ...]:
    """The header with a text's hash."""
    return ((b"x-sig", hashlib.new(algorithm, text).hexdigest().encode()),)


def test_the_hash_with_the_secret_proves() -> None:
    """Any of several secrets; the body, the method and the URL are covered where the template names them."""
    one, two = (make_touchpoint("generic", "old", "é", verification=verification) for verification in (V1, V2))
    second = hashed(f"éPOST{URL}{{}}".encode())

    assert why(make_request(b"{}", hashed("é{}".encode())), one) == ""
    assert why(make_request(b"{} ", hashed("é{}".encode())), one) == "signature_wrong"
    assert why(make_request(b"{}", hashed(b"{}")), one) == "signature_wrong"
    assert why(make_request(b"{}"), one) == "signature_missing"
    assert why(make_request(b"{}", hashed(b"e{}", "sha1")), one) == "signature_malformed"
    assert why(make_request(b"{}", second), two) == ""
    assert why(make_request(b"{}", second, method="PUT"), two) == "signature_wrong"
    assert why(make_request(b"{}", second, url=URL + "?a"), two) == "signature_wrong"


@pytest.mark.parametrize("verification", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("body", [b"{}", b""])
def test_a_lengthened_hash_proves_nothing(verification: Verification, body: bytes) -> None:
    """Who saw one hash of SHA-256 can go on from there without the secret: behind the padding, which is no text.

    Here the secret is known, so the hash of the lengthened body is right; the verifier cannot tell how it was made.
    """
    secret = "secret"
    before = secret if verification is V1 else f"{secret}POST{URL}"
    length = len(before) + len(body)
    padding = b"\x80" + bytes((55 - length) % 64) + (8 * length).to_bytes(8, "big")
    longer = body + padding + b',"amount":1000000}'

    request = make_request(longer, hashed(before.encode() + longer))
    assert why(request, make_touchpoint("generic", secret, verification=verification)) == "signature_wrong"


def test_of_several_signatures_any_may_prove() -> None:
    """As with every scheme that signs a template."""
    verification = replace(V1, layout="many")
    headers = ((b"x-sig", b"0" * 64), *hashed(b"s{}"))

    assert why(make_request(b"{}", headers), make_touchpoint("generic", "s", verification=verification)) == ""


def test_a_time_is_compared_where_it_is_named() -> None:
    """After the hash was found to be right."""
    verification = replace(V1, timestamp="header:x-time:s", signed="{secret}{ts}{body}")
    stamp = str(NOW // SECOND).encode()
    request = make_request(b"{}", (*hashed(b"s" + stamp + b"{}"), (b"x-time", stamp)))
    touchpoint = make_touchpoint("generic", "s", verification=verification)

    assert why(request, touchpoint) == ""
    assert why(request, touchpoint, NOW + 6 * MINUTE) == "timestamp_stale"


def test_a_part_that_is_missing_is_told() -> None:
    """Nothing stands for it."""
    verification = replace(V1, signed="{secret}{header:x-id}{body}")

    assert why(make_request(b"{}", hashed(b"s{}")), make_touchpoint("generic", "s", verification=verification)) == (
        "signature_missing"
    )


@pytest.mark.parametrize(
    "verification",
    [
        replace(V1, signed="{body}"),
        replace(V1, signed="{secret}"),
        replace(V1, algorithm="md5"),
        replace(V1, signature=""),
        Verification(scheme="hmac", signature="header:x-sig", signed="{secret}{body}"),
    ],
)
def test_a_hash_that_anyone_could_write_is_refused_as_a_setting(verification: Verification) -> None:
    """And a secret within what is signed by itself."""
    found = verification_problem(verification)

    assert verification_problem(V1) is None
    assert found is not None
    assert found.code == "verify_invalid"
