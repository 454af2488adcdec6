"""Repeated credentials."""

import pytest

from tests.touchpoints.factory import make_request
from tests.touchpoints.proving import token, why


def test_a_token_in_every_place() -> None:
    """Header, query, JSON or form."""
    header = make_request(headers=((b"x-key", b"s3cret"),))

    assert why(header, token("header:X-Key", "old", "s3cret")) == ""
    assert why(header, token("header:X-Key", "s3cre")) == "credential_wrong"
    assert why(header, token("header:X-Key")) == "no_secret"
    assert why(header, token("header:X-Other", "s3cret")) == "credential_missing"
    assert (
        why(make_request(headers=((b"authorization", b"Bearer s"),)), token("header:authorization", "s", prefix="Bearer "))
        == ""
    )
    assert why(make_request(target="/hooks/orders?code=s%203"), token("query:code", "s 3")) == ""
    assert why(make_request(b'{"token": "\xc3\xa9"}'), token("json:/token", "é")) == ""
    assert why(make_request(b"token=abc"), token("form:token", "abc")) == ""


def test_a_duplicate_or_empty_token_is_refused() -> None:
    """Two credentials are one too many."""
    assert why(make_request(headers=((b"x-key", b"s"), (b"x-key", b"s"))), token("header:x-key", "s")) == "signature_ambiguous"
    assert why(make_request(target="/?code=s&code=s"), token("query:code", "s")) == "signature_ambiguous"
    assert why(make_request(headers=((b"x-key", b""),)), token("header:x-key", "s")) == "credential_malformed"
    several = token("json:/value/*/s|header:x-key", "s")
    assert why(make_request(headers=((b"x-key", b"s"), (b"x-key", b"s"))), several) == "signature_ambiguous"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"value":[{"s":"one"}]}', ""),
        (b'{"value":[{"s":"one"},{"s":"two"}]}', ""),
        (b'{"value":[{"s":"one"},{"s":"three"}]}', "credential_wrong"),
        (b'{"value":[{"s":"one"},{}]}', "credential_missing"),
        (b'{"value":[{"s":"one"},{"s":""}]}', "credential_missing"),
        (b'{"value":[{"s":"one"},{"s":["one"]}]}', "credential_missing"),
        (b'{"value":[{"s":"one"},7]}', "credential_missing"),
        (b'{"value":[{"s":"wrong"}]}', "credential_wrong"),
        (b'{"value":[]}', "credential_missing"),
        (b'{"value":{"s":"one"}}', "credential_missing"),
        (b"{}", "credential_missing"),
    ],
)
def test_every_element_must_bring_the_credential(body: bytes, code: str) -> None:
    """Microsoft Graph's clientState stands in each: a stranger could add an element."""
    assert why(make_request(body), token("json:/value/*/s", "one", "two")) == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<m><org>00D1</org><x/></m>", ""),
        (b"<m xmlns='u'><n:org xmlns:n='v'>00D1</n:org></m>", ""),
        (b"<m><org>00D2</org></m>", "credential_wrong"),
        (b"<m><org>00D1</org><org>00D1</org></m>", "signature_ambiguous"),
        (b"<m><org/></m>", "credential_malformed"),
        (b"<m><org>00D1</org>", "credential_missing"),
        (b"<!DOCTYPE m [<!ENTITY o '00D1'>]><m><org>&o;</org></m>", "credential_missing"),
    ],
)
def test_a_credential_in_xml(body: bytes, code: str) -> None:
    """Salesforce's organisation."""
    assert why(make_request(body), token("xml:/m/org", "00D1")) == code
