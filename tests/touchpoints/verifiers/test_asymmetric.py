"""Signatures by public keys, right, wrong and hostile."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW, WHSEC, make_request, make_touchpoint, replaced
from tests.touchpoints.keys import Private, certificate, ec_key, ed_key, pem, published, rsa_key, signature, spki, whpk
from tests.touchpoints.proving import signed
from tests.touchpoints.verifiers.keyed import at_hand, outcome
from touchpoints.event import Headers
from touchpoints.moment import MINUTE, SECOND
from touchpoints.published_key import KeyPlace
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import needs_secret, verification_problem
from touchpoints.verifiers.asymmetric import MOST_SIGNATURES

KEYS: Mapping[str, tuple[Private, Private]] = {
    "rsa-sha256": (rsa_key(), rsa_key("other")),
    "rsa-sha1": (rsa_key(), rsa_key("other")),
    "rsa-pss-sha256": (rsa_key(), rsa_key("other")),
    "ecdsa-sha256": (ec_key(), ec_key("other")),
    "ecdsa-sha1": (ec_key(), ec_key("other")),
    "ed25519": (ed_key(), ed_key("other")),
}
BODY = b'{"id":1}'


def generic(algorithm: str, *secrets: str, **fields: Any) -> Touchpoint:
    verification = {"signature": "header:x-sig", "encoding": "base64", "key": "pem", **fields}
    return make_touchpoint(
        "generic", *secrets, verification=Verification(scheme="asymmetric", algorithm=algorithm, **verification)
    )


def mark(algorithm: str, key: Private, data: bytes) -> bytes:
    return base64.b64encode(signature(algorithm, key, data))


def by(algorithm: str, key: Private, data: bytes = BODY) -> Headers:
    return ((b"x-sig", mark(algorithm, key, data)),)


@pytest.mark.parametrize("algorithm", KEYS)
def test_only_the_body_that_was_signed_by_one_of_the_keys_is_proved(algorithm: str) -> None:
    """In every algorithm, with two keys while rotating, by PEM, Base64 or certificate."""
    right, wrong = KEYS[algorithm]
    headers = by(algorithm, right)

    for secrets in ((pem(right),), (pem(wrong), pem(right)), (pem(right), pem(wrong)), (certificate(right),)):
        assert outcome(make_request(BODY, headers), generic(algorithm, *secrets)) == ""
    assert outcome(make_request(BODY, headers), generic(algorithm, spki(right), key="spki")) == ""
    assert outcome(make_request(BODY + b" ", headers), generic(algorithm, pem(right))) == "signature_wrong"
    assert outcome(make_request(b"", headers), generic(algorithm, pem(right))) == "signature_wrong"
    assert outcome(make_request(BODY, headers), generic(algorithm, pem(wrong))) == "signature_wrong"
    assert outcome(make_request(BODY, headers), generic(algorithm, "no key")) == "secret_unusable"
    assert outcome(make_request(BODY, headers), generic(algorithm)) == "no_secret"


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_of_another_kind_or_an_hmac_by_the_public_key_proves_nothing(algorithm: str) -> None:
    """The oldest trick: what everybody knows taken for a secret."""
    import hashlib
    import hmac

    right, _ = KEYS[algorithm]
    confused = base64.b64encode(hmac.digest(pem(right).encode(), BODY, hashlib.sha256))
    assert outcome(make_request(BODY, ((b"x-sig", confused),)), generic(algorithm, pem(right))) == "signature_wrong"
    for other, (key, _) in KEYS.items():
        if other.partition("-")[0] != algorithm.partition("-")[0]:
            assert outcome(make_request(BODY, by(other, key)), generic(algorithm, pem(right))) == "signature_wrong"
            assert outcome(make_request(BODY, by(algorithm, right)), generic(algorithm, pem(key))) == "signature_wrong"


def test_missing_repeated_and_malformed_signatures_are_refused() -> None:
    """Each by its reason."""
    touchpoint = generic("ed25519", pem(ed_key()))
    right = by("ed25519", ed_key())
    assert outcome(make_request(BODY), touchpoint) == "signature_missing"
    assert outcome(make_request(BODY, (*right, *right)), touchpoint) == "signature_ambiguous"
    for wrong in (b"", b"!", right[0][1][:-1], right[0][1] + b"\n", b" " + right[0][1], b"\xff"):
        assert outcome(make_request(BODY, ((b"x-sig", wrong),)), touchpoint) == "signature_malformed", wrong


def test_what_was_signed_must_all_be_there() -> None:
    """A part that is missing, or there twice, leaves nothing to prove."""
    touchpoint = generic("ed25519", pem(ed_key()), signed="{header:x-part}{body}")
    headers = by("ed25519", ed_key(), b"one" + BODY)
    assert outcome(make_request(BODY, (*headers, (b"x-part", b"one"))), touchpoint) == ""
    assert outcome(make_request(BODY, headers), touchpoint) == "signature_missing"
    twice = (*headers, (b"x-part", b"one"), (b"x-part", b"one"))
    assert outcome(make_request(BODY, twice), touchpoint) == "signature_missing"


V1A = "standard_webhooks"


def sent(key: Any, *, stamp: int = NOW // SECOND, body: bytes = BODY, before: bytes = b"") -> Headers:
    made = b"v1a," + mark("ed25519", key, b"msg_1.%d." % stamp + body)
    return ((b"webhook-id", b"msg_1"), (b"webhook-timestamp", b"%d" % stamp), (b"webhook-signature", before + made))


def test_standard_webhooks_asymmetric_signatures() -> None:
    """v1a beside v1 (github.com/standard-webhooks: spec/standard-webhooks.md): the secret's form says which one counts."""
    touchpoint = make_touchpoint(V1A, whpk(ed_key()))
    assert outcome(make_request(BODY, sent(ed_key())), touchpoint) == ""
    assert outcome(make_request(BODY, sent(ed_key(), before=b"v1,AAAA v2,x ")), touchpoint) == ""
    two = sent(ed_key("other"))[2][1] + b" "
    assert outcome(make_request(BODY, sent(ed_key(), before=two)), touchpoint) == ""
    assert outcome(make_request(BODY, sent(ed_key("other"))), touchpoint) == "signature_wrong"
    assert outcome(make_request(BODY + b" ", sent(ed_key())), touchpoint) == "signature_wrong"
    assert outcome(make_request(BODY, replaced(sent(ed_key()), "webhook-id", b"msg_2")), touchpoint) == "signature_wrong"
    for minutes, code in ((-6, "timestamp_stale"), (6, "timestamp_future"), (-4, ""), (4, "")):
        moved = sent(ed_key(), stamp=(NOW + minutes * MINUTE) // SECOND)
        assert outcome(make_request(BODY, moved), touchpoint) == code
    symmetric = signed(make_touchpoint(V1A, WHSEC), BODY)
    assert outcome(make_request(BODY, symmetric), touchpoint) == "signature_malformed"
    both = make_touchpoint(V1A, WHSEC, whpk(ed_key()))
    assert outcome(make_request(BODY, symmetric), both) == ""


def test_the_published_vector_of_standard_webhooks() -> None:
    """A key pair and message of the test's own would prove nothing of the encoding: RFC 8032, section 7.1, test 3."""
    key = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
    signature_ = bytes.fromhex(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )
    touchpoint = generic("ed25519", "whpk_" + base64.b64encode(key).decode(), key="whpk")
    assert outcome(make_request(bytes.fromhex("af82"), ((b"x-sig", base64.b64encode(signature_)),)), touchpoint) == ""


def test_a_flood_of_signatures_is_not_tried() -> None:
    """Each costs work."""
    for others, code in ((MOST_SIGNATURES, "signature_malformed"), (MOST_SIGNATURES - 1, "")):
        headers = sent(ed_key(), before=(sent(ed_key("other"))[2][1] + b" ") * others)
        assert outcome(make_request(BODY, headers), make_touchpoint(V1A, whpk(ed_key()))) == code


JWKS = "https://keys.example.com/jwks"
PLACE = KeyPlace(kind="jwks", url=JWKS)


def by_jwks(*secrets: str, **fields: Any) -> Touchpoint:
    settings = {"key": "published:jwks", "key_url": f"const:{JWKS}", "key_id": "header:x-key", **fields}
    return generic("ecdsa-sha256", *secrets, **settings)


def named(name: bytes, key: Private) -> Headers:
    return (*by("ecdsa-sha256", key), (b"x-key", name))


def test_a_published_key_is_wanted_until_it_is_at_hand() -> None:
    """The one of the id that the request names; an id that is not there may be new, so its place is wanted again."""
    touchpoint = by_jwks()
    assert not needs_secret(touchpoint.verification)
    request = make_request(BODY, named(b"one", ec_key()))
    assert outcome(request, touchpoint) == (PLACE,)
    assert outcome(request, touchpoint, at_hand(published(PLACE, one=ec_key(), two=ec_key("other")))) == ""
    assert outcome(request, touchpoint, at_hand(published(PLACE, one=ec_key("other"), two=ec_key()))) == "signature_wrong"
    assert outcome(request, touchpoint, at_hand(published(PLACE, two=ec_key()))) == (PLACE,)
    other = KeyPlace(kind="jwks", url="https://keys.example.com/other")
    assert outcome(request, touchpoint, at_hand(published(other, one=ec_key()))) == (PLACE,)


def test_the_id_of_a_key_is_one_plain_value() -> None:
    """Missing, repeated and endless ids are refused before anything is fetched."""
    touchpoint = by_jwks()
    right = by("ecdsa-sha256", ec_key())
    assert outcome(make_request(BODY, right), touchpoint) == "signature_missing"
    twice = (*right, (b"x-key", b"one"), (b"x-key", b"one"))
    assert outcome(make_request(BODY, twice), touchpoint) == "signature_ambiguous"
    assert outcome(make_request(BODY, (*right, (b"x-key", b"x" * 300))), touchpoint) == "signature_missing"


def test_without_an_id_every_key_there_is_tried() -> None:
    """Where the verification names none."""
    keys = at_hand(published(PLACE, one=ec_key("other"), two=ec_key()))
    assert outcome(make_request(BODY, by("ecdsa-sha256", ec_key())), by_jwks(key_id=""), keys) == ""


HOST = "static.adobeioevents.com"


def adobe(**fields: Any) -> Touchpoint:
    """As Adobe I/O Events sends (developer.adobe.com: signature verification)."""
    settings = {
        "key": "published:pem",
        "key_url": f"https://{HOST}{{header:x-path}}",
        "key_hosts": (HOST,),
        "credential": "json:/recipient_client_id",
        **fields,
    }
    return generic("rsa-sha256", "client-1", **settings)


def to(client: str, path: bytes = b"/prod/keys/pub-key-1.pem") -> tuple[bytes, Headers]:
    body = b'{"recipient_client_id":"%b"}' % client.encode()
    return body, (*by("rsa-sha256", rsa_key(), body), (b"x-path", path))


def test_a_key_by_a_path_on_one_host() -> None:
    """The event must be for us, else every customer of the sender could send it."""
    place = KeyPlace(kind="pem", url=f"https://{HOST}/prod/keys/pub-key-1.pem")
    keys = at_hand(published(place, _=rsa_key()))
    body, headers = to("client-1")
    assert outcome(make_request(body, headers), adobe()) == (place,)
    assert outcome(make_request(body, headers), adobe(), keys) == ""
    assert outcome(make_request(body + b" ", headers), adobe(), keys) == "signature_wrong"
    body, headers = to("client-2")
    assert outcome(make_request(body, headers), adobe(), keys) == "recipient_wrong"
    assert outcome(make_request(b"{}", headers), adobe(), keys) == "credential_missing"


def test_the_recipient_is_named_once_and_is_one_of_ours() -> None:
    """Any of several applications, as a person pasted it; a second name beside ours may be whom it was really sent to."""
    keys = at_hand(published(PLACE, _=ec_key()))
    touchpoint = by_jwks("client-2", " client-1\n", key_id="", credential="header:x-client")

    def said(*clients: bytes) -> Any:
        headers = (*by("ecdsa-sha256", ec_key()), *((b"x-client", client) for client in clients))
        return outcome(make_request(BODY, headers), touchpoint, keys)

    assert said(b"client-1") == said(b"client-2") == ""
    assert said() == "credential_missing"
    assert said(b"client-3") == said(b" client-1\n") == "recipient_wrong"
    for twice in ((b"client-1", b"client-3"), (b"client-3", b"client-1"), (b"client-1", b"client-1")):
        assert said(*twice) == "signature_ambiguous"


@pytest.mark.parametrize(
    "path",
    [
        b"@evil.example/x",
        b".evil.example/x",
        b":8443/x",
        b"/../x",
        b"//evil.example/x",
        b"/x?y#z",
        b"\\evil.example",
        b"/%2e%2e/x",
        b"/\xe2\x80\xae",
        b"/x y",
    ],
)
def test_no_path_leads_to_another_host(path: bytes) -> None:
    """Whatever the header says, only the pinned host is ever asked."""
    body, headers = to("client-1", path)
    assert outcome(make_request(body, headers), adobe()) == "key_untrusted"


def test_the_path_is_one_value() -> None:
    """Missing or repeated, it is none."""
    body, headers = to("client-1")
    assert outcome(make_request(body, replaced(headers, "x-path")), adobe()) == "signature_missing"
    twice = (*headers, (b"x-path", b"/y"))
    assert outcome(make_request(body, twice), adobe()) == "signature_missing"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"algorithm": "sha256"}, "algorithm"),
        ({"algorithm": "none"}, "algorithm"),
        ({"key": "utf8"}, "key"),
        ({"key": "published:ebay", "key_url": f"const:{JWKS}"}, "kind"),
        ({"key": "published:"}, "kind"),
        ({"key": "published:jwks"}, "key_url"),
        ({"key": "published:jwks", "key_url": "const:http://keys.example.com/"}, "https"),
        ({"key": "published:jwks", "key_url": f"const:{JWKS}", "key_hosts": ("other.example.com",)}, "https"),
        ({"key": "published:x509", "key_url": "header:x-cert"}, "key_hosts"),
        ({"key": "published:x509", "key_url": "nowhere"}, "nowhere"),
        ({"key": "published:jwks", "key_url": f"const:{JWKS}", "key_id": "nowhere"}, "nowhere"),
        ({"key": "published:jwks", "key_url": f"const:{JWKS}", "credential": "nowhere"}, "nowhere"),
        ({"credential": "header:x"}, "published"),
        ({"signed": "{secret}{body}"}, "secret"),
        ({"signature": ""}, "signature"),
    ],
)
def test_fields_that_do_not_fit_each_other_are_told(fields: dict[str, Any], reason: str) -> None:
    """Before anything is received by them."""
    settings = {"scheme": "asymmetric", "algorithm": "rsa-sha256", "signature": "header:x", "encoding": "base64", "key": "pem"}
    found = verification_problem(Verification(**{**settings, **fields}))
    assert found is not None
    assert found.code == "verify_invalid"
    assert reason in found.text


@given(
    body=st.binary(max_size=60),
    value=st.binary(max_size=80) | st.binary(max_size=64).map(base64.b64encode),
    algorithm=st.sampled_from(sorted(KEYS)),
)
def test_no_request_raises_and_none_is_proved_by_chance(body: bytes, value: bytes, algorithm: str) -> None:
    """Whatever stands in the headers."""
    request = make_request(body, ((b"x-sig", value), (b"x-path", value), (b"x-key", value)))
    keys = at_hand(published(PLACE, one=ec_key()))
    for touchpoint in (generic(algorithm, pem(KEYS[algorithm][0])), adobe(), by_jwks()):
        assert outcome(request, touchpoint, keys) != ""


@given(st.binary(max_size=60), st.integers(0, 500), st.integers(1, 255), st.sampled_from(sorted(KEYS)))
def test_no_changed_body_is_proved(body: bytes, at: int, flip: int, algorithm: str) -> None:
    """Not by one bit."""
    right, _ = KEYS[algorithm]
    headers = by(algorithm, right, body)
    touchpoint = generic(algorithm, pem(right))
    assert outcome(make_request(body, headers), touchpoint) == ""
    other = bytearray(body or b"\0")
    other[at % len(other)] ^= flip
    assert outcome(make_request(bytes(other), headers), touchpoint) == "signature_wrong"
