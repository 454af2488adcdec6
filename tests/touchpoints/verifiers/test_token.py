"""Repeated credentials."""

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
