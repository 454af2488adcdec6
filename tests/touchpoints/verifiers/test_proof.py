"""What a signed request brings, in every layout, encoding and place that a table or a person can name."""

import base64
import hashlib
import hmac

import pytest

from tests.touchpoints.factory import NOW, URL, make_request, make_touchpoint, replaced
from tests.touchpoints.proving import signed, value_of, why
from touchpoints.event import Headers
from touchpoints.moment import MINUTE, SECOND
from touchpoints.sign import sign, signed_body
from touchpoints.touchpoint import Touchpoint, Verification

SECRET = "secret"
BODY = b'{"id":"7"}'


def touchpoint(**fields: str) -> Touchpoint:
    """A generic one that signs."""
    return make_touchpoint("generic", SECRET, verification=Verification(**fields))  # type: ignore[arg-type]  # text fields only


def digest(signed_bytes: bytes, algorithm: str = "sha256", key: bytes = SECRET.encode()) -> bytes:
    """The HMAC by the standard library."""
    return hmac.new(key, signed_bytes, algorithm).digest()


RIGHT = digest(BODY).hex().encode()
WRONG = b"0" * 64


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (((b"x-sig", RIGHT),), ""),
        (((b"x-sig", b"sha256=" + RIGHT),), ""),
        (((b"x-sig", b"sha256=" + WRONG + b", sha256=" + RIGHT),), ""),
        (((b"x-sig", b"sha256=" + WRONG), (b"x-sig", b"sha256=" + RIGHT)), ""),
        (((b"x-sig", WRONG), (b"x-sig", b"nonsense")), "signature_wrong"),
        (((b"x-sig", b"sha1=" + RIGHT),), "signature_malformed"),
        (((b"x-sig", b""),), "signature_malformed"),
        (((b"x-sig", b",".join([WRONG] * 33)),), "signature_malformed"),
        (((b"x-sig", RIGHT), (b"x-sig", b"a" * 8193)), "signature_malformed"),
        ((), "signature_missing"),
    ],
)
def test_of_many_signatures_any_may_prove(headers: Headers, code: str) -> None:
    """Mollie's libraries take several headers, each with the prefix or without it; a list is what a relay makes of them."""
    assert why(make_request(BODY, headers), touchpoint(signature="header:x-sig", layout="many", prefix="sha256=")) == code


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (((b"x-sig-1", RIGHT),), ""),
        (((b"x-sig-1", WRONG), (b"x-sig-2", RIGHT)), ""),
        (((b"x-sig-1", WRONG), (b"x-sig-1", RIGHT)), ""),
        (((b"x-sig-", RIGHT), (b"x-sig-one", RIGHT), (b"x-sig", RIGHT)), "signature_missing"),
        (((b"x-sig-1", WRONG),), "signature_wrong"),
        (((b"x-sig-1", b"nonsense"), (b"x-sig-2", RIGHT)), ""),
        (tuple((f"x-sig-{number}".encode(), WRONG) for number in range(1, 101)), "signature_wrong"),
        (tuple((f"x-sig-{number}".encode(), WRONG) for number in range(1, 102)), "signature_malformed"),
    ],
)
def test_of_numbered_signatures_any_may_prove(headers: Headers, code: str) -> None:
    """Docusign has one header for each of its up to 100 keys."""
    assert why(make_request(BODY, headers), touchpoint(layout="numbered:X-Sig-")) == code


def test_each_numbered_signature_has_its_prefix() -> None:
    """One without it is no signature of this sender's."""
    one = touchpoint(layout="numbered:x-sig-", prefix="v0=")

    assert why(make_request(BODY, ((b"x-sig-1", b"v0=" + WRONG), (b"x-sig-2", b"v0=" + RIGHT))), one) == ""
    assert why(make_request(BODY, ((b"x-sig-1", b"v0=" + WRONG), (b"x-sig-2", b"v1=" + RIGHT))), one) == "signature_malformed"


@pytest.mark.parametrize("encoding", ["hex", "base64", "base64url", "any"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_every_encoding_of_every_algorithm(encoding: str, algorithm: str) -> None:
    """A signature of another algorithm's length is no signature."""
    one = touchpoint(signature="header:x-sig", encoding=encoding, algorithm=algorithm)
    raw = digest(BODY, algorithm)
    texts = {
        "hex": [raw.hex(), raw.hex().upper()],
        "base64": [base64.b64encode(raw).decode()],
        "base64url": [base64.urlsafe_b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")],
        "any": [raw.hex(), base64.b64encode(raw).decode()],
    }[encoding]
    for text in texts:
        assert why(make_request(BODY, ((b"x-sig", text.encode()),)), one) == ""
        assert why(make_request(BODY, ((b"x-sig", text[4:].encode()),)), one) == "signature_malformed"


def test_a_key_may_be_the_secrets_sha1() -> None:
    """Braintree's."""
    text = digest(BODY, key=hashlib.sha1(SECRET.encode(), usedforsecurity=False).digest()).hex().encode()

    assert why(make_request(BODY, ((b"x-sig", text),)), touchpoint(signature="header:x-sig", key="sha1")) == ""


def test_the_hash_of_the_body_and_the_public_path_may_be_signed() -> None:
    """Walmart's; the path is that of the public URL, also where a reverse proxy sends on another one."""
    one = touchpoint(
        signature="header:x-sig", timestamp="header:x-time:s", signed="{method}\n{path_query}\n{ts}\n{sha256hex_body}"
    )
    stamp = str(NOW // SECOND).encode()
    text = b"POST\n/hooks/orders?a=1\n" + stamp + b"\n" + hashlib.sha256(BODY).hexdigest().encode()
    headers = ((b"x-sig", digest(text).hex().encode()), (b"x-time", stamp))

    assert why(make_request(BODY, headers, url=URL + "?a=1", target="/behind?a=1"), one) == ""
    assert why(make_request(BODY, headers, url=URL, target="/hooks/orders?a=1"), one) == "signature_wrong"
    assert why(make_request(BODY + b" ", headers, url=URL + "?a=1"), one) == "signature_wrong"


@pytest.mark.parametrize(
    ("url", "path"),
    [("https://h", "/"), ("https://h/", "/"), ("https://h?a=/", "/?a=/"), ("https://h:1/a//b?c", "/a//b?c"), ("nonsense", "/")],
)
def test_path_and_query_of_a_url(url: str, path: str) -> None:
    """All from the first slash after the host on, and never empty."""
    one = touchpoint(signature="header:x-sig", signed="{path_query}{body}")

    assert why(make_request(BODY, ((b"x-sig", digest(path.encode() + BODY).hex().encode()),), url=url), one) == ""


@pytest.mark.parametrize(
    ("sent", "signs"),
    [
        ("?q=a%3Ab%2fc", "?q=a:b/c"),
        ("?q=%3f%40%21%24%27%28%29%2A%2C%3B", "?q=?@!$'()*,;"),
        ("?q=%20%26%3D%25%2B%23", "?q=%20%26%3D%25%2B%23"),
        ("?q=%253A", "?q=%253A"),
        ("", ""),
    ],
)
def test_twelve_escapes_of_a_url_are_undone_before_it_is_signed(sent: str, signs: str) -> None:
    """HubSpot's third version: developers.hubspot.com, validating requests."""
    one = touchpoint(signature="header:x-sig", signed="{url_decoded}{body}")
    text = digest(f"{URL}{signs}".encode() + BODY).hex().encode()

    assert why(make_request(BODY, ((b"x-sig", text),), url=URL + sent), one) == ""


@pytest.mark.parametrize(("late", "code"), [(0, ""), (6 * MINUTE, "timestamp_stale"), (-6 * MINUTE, "timestamp_future")])
@pytest.mark.parametrize("timestamp", ["header:x-time:iso", "json:/sent:ms", "header:x-time:ms"])
def test_every_kind_of_time_is_compared_with_now(timestamp: str, late: int, code: str) -> None:
    """As the text that was sent is what was signed, in the body or beside it."""
    template = "{ts}{body}" if timestamp.startswith("header") else "{body}"
    one = touchpoint(signature="header:x-sig", timestamp=timestamp, signed=template)
    body = signed_body(one, b'{"sent":1}', NOW, "m")
    headers = sign(one, body, (), NOW, URL, "m")

    assert why(make_request(body, headers), one, NOW + late) == code
    assert why(make_request(body.replace(b"sent", b"gone"), replaced(headers, "x-time")), one) == "timestamp_missing"


def test_a_signature_within_the_body_covers_what_it_says() -> None:
    """Mailgun's: of the body only the time and the token."""
    one = touchpoint(
        signature="json:/signature/signature",
        timestamp="json:/signature/timestamp:s",
        signed="{json:/signature/timestamp}{json:/signature/token}",
    )
    body = signed_body(one, b'{"signature":{"token":"t"},"event":"a"}', NOW, "m")

    assert why(make_request(body), one) == ""
    assert why(make_request(body.replace(b'"event":"a"', b'"event":"b"')), one) == ""
    assert why(make_request(body.replace(b'"token":"t"', b'"token":"u"')), one) == "signature_wrong"
    assert why(make_request(body.replace(b'"token"', b'"t"')), one) == "signature_missing"
    assert why(make_request(b"[]"), one) == "signature_missing"


def test_a_part_of_what_is_signed_that_is_there_twice_proves_nothing() -> None:
    """Which of them was signed cannot be told."""
    one = touchpoint(signature="header:x-sig", signed="{header:x-id}.{body}")
    right = ((b"x-id", b"1"), (b"x-sig", digest(b"1." + BODY).hex().encode()))

    assert why(make_request(BODY, right), one) == ""
    assert why(make_request(BODY, (*right, (b"x-id", b"1"))), one) == "signature_missing"


def test_the_right_signature_is_the_one_of_the_standard_library() -> None:
    """Both ways."""
    one = touchpoint(signature="header:x-sig", signed="{method} {url} {body}")

    assert value_of(signed(one, BODY), "x-sig") == digest(f"POST {URL} ".encode() + BODY).hex().encode()


@pytest.mark.parametrize(
    ("layout", "value", "code"),
    [
        ("csvkv:v1", b"v1=" + RIGHT, ""),
        ("csvkv:v1", b"a=b, v1 = " + RIGHT + b" ,v2=x", ""),
        ("csvkv:v1", b"v2=" + RIGHT, "signature_malformed"),
        ("csvkv:V1", b"V1=" + RIGHT, ""),
        ("csvkv:V1", b"v1=" + RIGHT, "signature_malformed"),
        ("csvkv:v1", b"v1:" + RIGHT, "signature_malformed"),
        ("spacelist:v1", b"v1," + RIGHT, ""),
        ("spacelist:v1", b"v1," + WRONG + b" v1," + RIGHT, ""),
        ("spacelist:v1", b"v2," + RIGHT, "signature_malformed"),
        ("spacelist:v1", RIGHT, "signature_malformed"),
    ],
)
def test_only_signatures_under_the_right_name_count(layout: str, value: bytes, code: str) -> None:
    """Another name is another version, of which nothing is known."""
    assert why(make_request(BODY, ((b"x-sig", value),)), touchpoint(signature="header:x-sig", layout=layout)) == code
