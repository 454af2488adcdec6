"""Selectors and the lazily parsed request."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import make_request
from touchpoints.selector import Reading, parse_fields, selector

CLAIMS = {"data": json.dumps({"data": json.dumps({"id": "e1"}), "eventType": "wix.order"}), "iat": 5}
JWT = b"e30." + base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).rstrip(b"=") + b".AA"
FORM = (b"content-type", b"application/x-www-form-urlencoded")


def read(text: str, body: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = (), target: str = "/hooks/orders") -> str:
    """What a selector finds in a request."""
    return selector(text).text(Reading(make_request(body, headers, target=target)))


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/order/id", "820982911946154508"),
        ("/order/name", "#1042"),
        ("/order/paid", "true"),
        ("/order/late", "false"),
        ("/order/total", "19.9"),
        ("/lines/1/sku", "B"),
        ("/a~1b", "slash"),
        ("/m~0n", "tilde"),
        ("/", "empty key"),
        ("/order", ""),
        ("/lines", ""),
        ("/order/none", ""),
        ("/lines/2/sku", ""),
        ("/lines/-1/sku", ""),
        ("/lines/x", ""),
        ("/lines/99999999999999999999", ""),
        ("/order/name/deeper", ""),
        ("/missing", ""),
        ("", ""),
    ],
)
def test_a_json_pointer_finds_scalars(pointer: str, found: str) -> None:
    """RFC 6901; whole numbers stay exact; objects, arrays, null and what is missing are empty."""
    body = b"""{"order": {"id": 820982911946154508, "name": "#1042", "paid": true, "late": false, "total": 19.9, "none": null},
        "lines": [{"sku": "A"}, {"sku": "B"}], "a/b": "slash", "m~n": "tilde", "": "empty key"}"""

    assert read(f"json:{pointer}", body) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", ""),
        (b"null", ""),
        (b"{", ""),
        (b'{"id": "caf\xe9"}', ""),  # invalid UTF-8
        (b'{"id": "\\u0000a"}', ""),  # NUL
        (b'{"id": "\\ud800"}', ""),  # a lone surrogate
        (b'{"id": 1e400}', ""),
        (b'{"id": NaN}', ""),
        (b'{"id": 18446744073709551616}', ""),  # beyond 64 bits a float would merge different ids
        (b'{"id": 18446744073709551615}', "18446744073709551615"),
        (b'{"id": 1, "id": 2}', "2"),
        (b'{"id": "a\\/b"}', "a/b"),
        (b'\xef\xbb\xbf{"id": "bom"}', "bom"),
        ('{"id": "x"}'.encode("utf-16"), ""),
        (b"[" * 100_000, ""),
        (b'{"id": "\xf0\x9f\x8e\x81"}', "\U0001f381"),
    ],
)
def test_odd_json_is_read_or_empty_but_never_an_error(body: bytes, found: str) -> None:
    """What cannot be read is not there."""
    assert read("json:/id", body) == found


def test_header_form_query_body_and_const() -> None:
    """Every kind of place."""
    body = b"command=%2Fdeploy&payload=%7B%22type%22%3A%22block_actions%22%7D&empty=&nul=%00"

    assert read("header:X-Topic", headers=((b"x-topic", b"orders/create"),)) == "orders/create"
    assert read("header:x-topic", headers=((b"x-topic", b"one"), (b"x-topic", b"two"))) == "one"
    assert read("header:x-topic", headers=((b"x-topic", b"\xe9"),)) == "é"
    assert read("form:command", body, (FORM,)) == "/deploy"
    assert read("form:payload>/type", body, (FORM,)) == "block_actions"
    assert read("form:empty|form:command", body, (FORM,)) == "/deploy"
    assert read("form:nul", body, (FORM,)) == ""
    assert read("form:command", b'"&command=x"', (FORM,)) == ""  # JSON is no form, whatever the header says
    assert read("form:a", b"&".join([b"a=1"] * 2000), (FORM,)) == ""
    assert read("query:code", target="/hooks/orders?code=a%20b&code=c") == "a b"
    assert read("query:code") == ""
    assert read("const:stock changed") == "stock changed"
    assert read("body", b"abc") == "sha256:" + hashlib.sha256(b"abc").hexdigest()


def test_the_first_alternative_that_is_there_counts() -> None:
    """Alternatives are divided by |."""
    assert read("header:a|json:/id|const:none", b'{"id": 5}') == "5"
    assert read("header:a|json:/id|const:none", b"{}") == "none"


def test_values_keep_duplicates() -> None:
    """For proving, two values are one too many, so both are shown."""
    reading = Reading(make_request(headers=((b"a", b""), (b"b", b"1"), (b"a", b"2")), target="/x?q=1&q=2"))

    assert selector("header:a|header:b").values(reading) == [b"", b"2"]
    assert selector("header:c|header:b").values(reading) == [b"1"]
    assert selector("query:q").values(reading) == [b"1", b"2"]


XML = b'<n xmlns="u"><kind>check</kind><subject type="t">7</subject></n>'
ARRAY = b'{"value":[{"id":"","s":"x"},{"id":"2","s":"y"}],"a":{"b":"p:q%"},"inner":"{\\"k\\":[{\\"v\\":1}]}"}'


@pytest.mark.parametrize(
    ("text", "body", "found"),
    [
        ("json:/value/*/id", ARRAY, "2"),  # of several the first that isn't empty
        ("json:/value/*/none|json:/value/0/s", ARRAY, "x"),
        ("json:/inner>/k/*/v", ARRAY, "1"),
        ("json:/inner>/k/0/none|json:/value/1/id", ARRAY, "2"),
        ("json:/value/1/id+json:/value/1/s", ARRAY, "2:y"),
        ("json:/a/b+json:/a/b", ARRAY, "p%3Aq%25:p:q%"),  # only in the last a colon is one
        ("json:/value/1/id+json:/none", ARRAY, ""),
        ("json:/none+json:/a/b|const:c", ARRAY, "c"),
        ("json:/value/1/id+header:X+const:1", ARRAY, "2:head:1"),
        ("xml:/n/kind", XML, "check"),
        ("xml:/n/subject@type+xml:/n/subject", XML, "t:7"),
        ("form:p>base64>xml:/n/kind", b"p=" + base64.b64encode(XML).replace(b"+", b"%2B") + b"&q=1", "check"),
        ("form:p>base64>/k", b"p=eyJrIjoidiJ9", "v"),
        ("form:p>base64", b"p=dGV4dA==", "text"),
        ("form:p>base64|form:q", b"p=A&q=2", "2"),
        ("header:X>base64>/k", b"", ""),
        ("jwt:/data>/data>/id", JWT, "e1"),
        ("jwt:/data>/eventType", b" " + JWT + b"\n", "wix.order"),
        ("jwt:/iat", JWT, "5"),
        ("jwt:/iat", JWT + b".more", ""),
        ("jwt:/iat", b"e30.e30", ""),
        ("jwt:/iat", b"e30.!!!.AA", ""),
        ("const:a+b>c", b"", "a+b>c"),
    ],
)
def test_steps_joins_and_every_element(text: str, body: bytes, found: str) -> None:
    """What stands inside a text, in every element of an array, or only together with another place."""
    assert read(text, body, ((b"x", b"head"),)) == found


def test_a_text_in_which_a_step_finds_nothing_keeps_its_place() -> None:
    """Whoever proves by every element must see that one lacks it; places joined count as one."""
    body = b'{"l":[{"p":"{\\"t\\":1}"},{"p":"{}"}],"m":[{"p":"{}"}]}'
    reading = Reading(make_request(body))

    assert selector("json:/l/*/p>/t").values(reading) == [b"1", b""]
    assert selector("json:/m/*/p>/t|const:none").values(reading) == [b"none"]
    assert selector("json:/l/*/p>/t+json:/l/0/p").values(reading) == [b'1:{"t":1}']


def test_numbered_headers_are_found_by_their_prefix() -> None:
    """Docusign's, one for each key; a name that goes on otherwise is another header."""
    headers = (
        (b"x-sig-1", b"a"),
        (b"x-sig-22", b"b"),
        (b"x-sig-", b"c"),
        (b"x-sig-1a", b"d"),
        (b"x-sig", b"e"),
        (b"x-sig-1", b"f"),
    )

    assert Reading(make_request(headers=headers)).numbered(b"x-sig-") == [b"a", b"b", b"f"]


def test_a_form_of_too_many_fields_is_told_from_an_empty_one() -> None:
    """Else what a signature covers could vanish by being too long."""
    assert parse_fields(b"&".join([b"a=1"] * 1001)) is None
    assert parse_fields(b"") == []
    assert parse_fields(b"a=1&&=2&b") == [(b"a", b"1"), (b"", b"2"), (b"b", b"")]


@pytest.mark.parametrize(
    "text",
    [
        "xml:",
        "xml:a",
        "xml:/a@",
        "xml:/a/",
        "xml:/a b",
        "jwt:",
        "form:p>base64>/a~",
        "form:p>base64>xml:a",
        "json:/a+json:b",
        "",
        "header:",
        "header:a b",
        "header:a\nb",
        "json:id",
        "json:/a~2",
        "form:",
        "query:",
        "const:",
        "body:x",
        "jwt:data",
        "|",
        "header:a|",
    ],
)
def test_a_selector_that_cannot_be_read_is_refused_in_words(text: str) -> None:
    """The error says what a selector looks like."""
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        selector(text)


@given(st.binary(max_size=200), st.text(max_size=50), st.binary(max_size=50))
def test_no_input_makes_reading_fail(body: bytes, target: str, value: bytes) -> None:
    """Hostile bytes are empty, not an exception."""
    reading = Reading(make_request(body, ((b"x", value), FORM), target=target))

    for text in (
        "header:x", "json:/a/0", "json:", "form:a", "form:a>/b", "query:a", "body", "json:/*/a/*", "xml:/a@b", "jwt:/a",
        "jwt:/a>/b", "header:x>base64>/a", "form:a>base64>xml:/a", "header:x+json:/a", "query:a>/b/*",
    ):  # fmt: skip
        selector(text).text(reading).encode()
        assert all(isinstance(found, bytes) for found in selector(text).values(reading))
