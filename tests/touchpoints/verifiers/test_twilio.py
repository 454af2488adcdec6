"""Twilio's signature, compared with Twilio's own library over many requests."""

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from tests.touchpoints.factory import NOW, URL, make_request, make_touchpoint
from tests.touchpoints.proving import why
from touchpoints.event import Headers
from touchpoints.request import Request
from touchpoints.sign import sign
from touchpoints.touchpoint import Verification

SECRET = "12345"
TOUCHPOINT = make_touchpoint("generic", SECRET, verification=Verification(scheme="twilio"))
SHA256 = (b"x-twilio-webhooks-signature-settings", b"key=KY1,algorithm=HMAC_SHA256")

# Surrogates alone have no UTF-8, so no form holds them.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
FIELDS = st.lists(st.tuples(TEXTS.filter(bool), TEXTS), max_size=6)
PATHS = st.sampled_from(["", "/", "/hooks/orders", "/hooks/orders?a=1&b=%20", "?a"])
HOSTS = st.sampled_from(["hooks.example.com", "hooks.example.com:8420", "hooks.example.com:443", "h:80"])


class Form(dict[str, list[str]]):
    """Fields as web frameworks give them to the library: several values a name."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def form_of(fields: list[tuple[str, str]]) -> Form:
    """The fields by name, in the order sent."""
    form = Form()
    for name, value in fields:
        form.setdefault(name, []).append(value)
    return form


def request(signature: str, body: str = "", url: str = URL, more: Headers = (), **fields: str) -> Request:
    """A request with a signature."""
    rest = url.partition("://")[2]
    target = "/" + rest.partition("/")[2] if "/" in rest else "/?" + rest.partition("?")[2]
    headers = ((b"x-twilio-signature", signature.encode()), *more)
    return make_request(body.encode(), headers, url=url, target=target, **fields)


@given(FIELDS, st.sampled_from(["http", "https"]), HOSTS, PATHS, st.sampled_from(["HMAC_SHA1", "HMAC_SHA256"]))
def test_what_twilios_library_signs_is_proved(
    fields: list[tuple[str, str]], scheme: str, host: str, path: str, algorithm: str
) -> None:
    """Every form, whatever port the URL names; with one field more it is refused; ours is valid to the library."""
    url, library = f"{scheme}://{host}{path}", RequestValidator(SECRET)
    more = (SHA256,) if algorithm == "HMAC_SHA256" else ()
    body = urlencode(fields)
    theirs = library.compute_signature(url, form_of(fields), algorithm)

    assert why(request(theirs, body, url, more), TOUCHPOINT) == ""
    assert why(request(theirs, f"{body}&another=1" if body else "another=1", url, more), TOUCHPOINT) == "signature_wrong"
    assert why(request(theirs, body, f"{url}x", more), TOUCHPOINT) == "signature_wrong"
    if not more:
        ours = dict(sign(TOUCHPOINT, body.encode(), (), NOW, url, "m"))[b"x-twilio-signature"].decode()
        assert library.validate(url, form_of(fields), ours)


@pytest.mark.parametrize("signed_url", ["https://h.example/x?q=1", "https://h.example:443/x?q=1"])
def test_the_url_is_tried_with_its_port_and_without(signed_url: str) -> None:
    """Which of them Twilio signed cannot be told; another port is another URL."""
    signature = RequestValidator(SECRET).compute_signature(signed_url, {})

    assert why(request(signature, url="https://h.example/x?q=1"), TOUCHPOINT) == ""
    assert why(request(signature, url="https://h.example:443/x?q=1"), TOUCHPOINT) == ""
    assert why(request(signature, url="https://h.example:444/x?q=2"), TOUCHPOINT) == "signature_wrong"
    assert why(request(signature, url="http://h.example/x?q=1"), TOUCHPOINT) == "signature_wrong"


@pytest.mark.parametrize("url", ["HTTPS://h.example/x", "nonsense", ""])
def test_a_url_of_another_spelling_is_taken_as_it_is(url: str) -> None:
    """Nothing is made of it but its port."""
    signature = base64.b64encode(hmac.digest(SECRET.encode(), url.encode(), "sha1")).decode()

    assert why(make_request(b"", ((b"x-twilio-signature", signature.encode()),), url=url), TOUCHPOINT) == ""


def test_a_json_body_is_proved_by_the_hash_in_the_url() -> None:
    """The library and we agree on right and wrong bodies; without the hash JSON counts as fields, so that it is signed too."""
    library, body = RequestValidator(SECRET), '{"type":"x"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = library.compute_signature(url, {})

    assert library.validate(url, body, signature)
    assert why(request(signature, body, url), TOUCHPOINT) == ""
    for other in (body + " ", "", '{"type":"y"}', "type=x"):
        assert why(request(signature, other, url), TOUCHPOINT) == "signature_wrong"
    for twice in (url + "&bodySHA256=0", url.replace("?", "?bodySHA256=0&")):
        assert why(request(library.compute_signature(twice, {}), body, twice), TOUCHPOINT) == "signature_wrong"
    of_the_url_alone = library.compute_signature(URL, {})
    assert why(request(of_the_url_alone), TOUCHPOINT) == ""
    assert why(request(of_the_url_alone, body), TOUCHPOINT) == "signature_wrong"


def test_a_form_of_too_many_fields_is_refused() -> None:
    """Else the fields would count as none, and the URL's signature would prove any."""
    of_the_url_alone = RequestValidator(SECRET).compute_signature(URL, {})

    assert why(request(of_the_url_alone, "&".join(["a=1"] * 1001)), TOUCHPOINT) == "signature_wrong"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ((SHA256,), ""),
        (((SHA256[0], b"algorithm = hmac_sha256"),), ""),
        (((SHA256[0], b"key=x,algorithm=HMAC_SHA1"),), "signature_malformed"),
        (((SHA256[0], b"key=x"),), "signature_malformed"),
        (((SHA256[0], b"algorithm=HMAC_MD5"),), "signature_malformed"),
        (((SHA256[0], b"algorithm=HMAC_MD5,algorithm=HMAC_SHA256"),), "signature_malformed"),
        ((SHA256, SHA256), "signature_ambiguous"),
        ((), "signature_malformed"),
    ],
)
def test_the_algorithm_is_the_one_that_twilio_names(more: Headers, code: str) -> None:
    """Nothing is tried that was not named, and a signature of another length is none."""
    signature = base64.b64encode(hmac.digest(SECRET.encode(), URL.encode(), "sha256")).decode()

    assert why(request(signature, more=more), TOUCHPOINT) == code


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ((), "signature_missing"),
        (((b"x-twilio-signature", b"x"),), "signature_malformed"),
        (((b"x-twilio-signature", b"A" * 27 + b"="), (b"x-twilio-signature", b"x")), "signature_ambiguous"),
        (((b"x-twilio-signature", b"A" * 27 + b"="),), "signature_wrong"),
    ],
)
def test_what_is_no_signature_is_told(headers: Headers, code: str) -> None:
    """Each by its own name."""
    assert why(make_request(b"", headers), TOUCHPOINT) == code
