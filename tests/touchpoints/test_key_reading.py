"""What stands at a place of keys, right and hostile."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW
from tests.touchpoints.keys import certificate, der, ec_key, ed_key, jwk, pem, private_pem, rsa_key
from touchpoints.key_reading import MOST_BYTES, MOST_KEYS, jwks_uri, read_published
from touchpoints.moment import SECOND
from touchpoints.published_key import KINDS, KeyPlace

URL = "https://keys.example.com/keys"


def place(kind: str) -> KeyPlace:
    return KeyPlace(kind=kind, url=URL)


def jwks(*keys: Any) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


def test_a_certificate_gives_its_key_and_its_dates() -> None:
    """Of a chain the first one counts."""
    first = certificate(rsa_key(), starts=-100, ends=50)
    for content in (first, first + certificate(rsa_key("other"))):
        found = read_published(place("x509"), content.encode(), NOW)
        assert (found.keys, found.not_before, found.not_after) == (
            {"": der(rsa_key())},
            NOW - 100 * SECOND,
            NOW + 50 * SECOND,
        )


def test_a_pem_and_ebays_answer_give_one_key() -> None:
    """eBay writes its PEM on one line (github.com/eBay/event-notification-nodejs-sdk, test.json)."""
    assert read_published(place("pem"), pem(rsa_key()).encode(), NOW).keys == {"": der(rsa_key())}
    answer = {"key": pem(ec_key()).replace("\n", ""), "algorithm": "ECDSA", "digest": "SHA1"}
    assert read_published(place("ebay"), json.dumps(answer).encode(), NOW).keys == {"": der(ec_key())}


@pytest.mark.parametrize("kind", ["jwks", "openid"])
def test_a_key_set_gives_the_keys_that_can_be_used(kind: str) -> None:
    """Others are left out, and spoil nothing; of two with one id the first counts."""
    content = jwks(
        jwk(rsa_key(), kid="rsa"),
        jwk(ec_key(), kid="ec", use="sig"),
        jwk(ed_key(), kid="ed"),
        jwk(rsa_key("other"), kid="rsa"),
        jwk(rsa_key("other"), kid="enc", use="enc"),
        jwk(rsa_key("short", 1024), kid="short"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "off the curve"},
        {"kty": "RSA", "n": "A" * 5000, "e": "AQAB", "kid": "endless"},
        {"kty": "RSA", "n": 7, "e": None, "kid": "numbers"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "few"},
        {"kty": "RSA", "kid": "empty"},
        {**jwk(rsa_key()), "kid": 7},
        {**jwk(rsa_key()), "kid": ["x"]},
        None,
        [],
        "x",
    )
    found = read_published(place(kind), content, NOW)
    assert found.keys == {"rsa": der(rsa_key()), "ec": der(ec_key()), "ed": der(ed_key())}
    assert found.fetched_at == NOW


def test_a_key_set_without_end_is_read_to_a_limit() -> None:
    """The rest is not looked at."""
    content = jwks(*({"kty": "x"} for _ in range(MOST_KEYS)), jwk(ec_key(), kid="late"))
    with pytest.raises(ValueError, match="no usable key"):
        read_published(place("jwks"), content, NOW)


WRONG = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b'{"keys":{}}',
    b'{"keys":[]}',
    b'{"key":7}',
    b'{"key":"-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----"}',
    b"<html>not found</html>",
    b"\xff\xfe",
    private_pem(rsa_key()).encode(),
    b"[" * 10_000,
    b" " * (MOST_BYTES + 1),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", WRONG, ids=range(len(WRONG)))
def test_what_is_no_key_is_refused(kind: str, content: bytes) -> None:
    """In words, as a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        read_published(place(kind), content, NOW)


def test_a_certificate_inside_other_text_is_none() -> None:
    """An API under the pinned name may repeat what it was asked: then the stranger wrote the certificate."""
    for content in (f"<Error>{certificate(rsa_key())}</Error>", f"{certificate(rsa_key())}x"):
        with pytest.raises(ValueError, match="alone"):
            read_published(place("x509"), content.encode(), NOW)


def test_a_certificate_of_a_short_key_is_none() -> None:
    """As a key without a certificate."""
    with pytest.raises(ValueError, match="no usable"):
        read_published(place("x509"), certificate(rsa_key("short", 1024)).encode(), NOW)


@given(content=st.binary(max_size=400), kind=st.sampled_from(KINDS))
def test_no_content_raises_anything_else(content: bytes, kind: str) -> None:
    """Nor is a key found by chance."""
    with pytest.raises(ValueError, match=r".+"):
        read_published(place(kind), content, NOW)


JWK = st.dictionaries(
    st.sampled_from(["kty", "kid", "use", "n", "e", "x", "y", "crv", "k"]),
    st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "sig", "AQAB", "", "!", "é"])
    | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
    | st.none()
    | st.integers()
    | st.lists(st.text(), max_size=2),
)


@given(st.lists(JWK, max_size=4))
def test_no_key_set_raises_anything_else(keys: list[dict[str, Any]]) -> None:
    """Whatever is in it, the right key beside it is found."""
    found = read_published(place("jwks"), jwks(*keys, jwk(ec_key(), kid="right")), NOW)
    assert found.keys["right"] == der(ec_key())


def test_the_keys_of_an_openid_provider_stand_on_its_own_host() -> None:
    """Its discovery document cannot lead elsewhere."""
    document = json.dumps({"issuer": "x", "jwks_uri": "https://keys.example.com/discovery/keys"}).encode()
    assert jwks_uri(document, place("openid")) == "https://keys.example.com/discovery/keys"
    wrong: list[Any] = [
        "https://evil.example/keys",
        "http://keys.example.com/keys",
        "https://keys.example.com:8443/keys",
        "https://keys.example.com@evil.example/keys",
        "/keys",
        None,
        7,
        ["https://keys.example.com/keys"],
    ]
    for uri in wrong:
        with pytest.raises(ValueError, match="jwks_uri"):
            jwks_uri(json.dumps({"jwks_uri": uri}).encode(), place("openid"))
