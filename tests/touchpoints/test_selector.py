"""Selectors and the lazily parsed request."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import make_request
from touchpoints.selector import Reading, selector

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


@pytest.mark.parametrize(
    "text",
    [
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

    for text in ("header:x", "json:/a/0", "json:", "form:a", "form:a>/b", "query:a", "body"):
        selector(text).text(reading).encode()
