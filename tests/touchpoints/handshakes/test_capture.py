"""Captured secrets: taken once, by a touchpoint that has none."""

import json
from dataclasses import replace

import pytest

from tests.touchpoints.factory import make_request
from tests.touchpoints.handshakes.cases import ASANA, HOOK_SECRET, NOTION, NOTION_SECRET, SECRET, signed, touchpoint
from touchpoints.handshake import shows_secret
from touchpoints.receive import receive
from touchpoints.request import Answer, Received, Refused, Verified
from touchpoints.touchpoint import Verification

ECHO = ((b"x-hook-secret", HOOK_SECRET.encode()),)


def asana(*values: str, secrets: tuple[str, ...] = ()) -> Received:
    """What a request with these secrets in its header comes to."""
    headers = tuple((b"x-hook-secret", value.encode("latin-1")) for value in values)
    return receive(make_request(b"{}", headers), replace(ASANA.touchpoint, secrets=secrets))


def notion(body: bytes, *secrets: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Received:
    """What a body comes to."""
    return receive(make_request(body, headers), replace(NOTION.touchpoint, secrets=secrets))


def test_asanas_secret_goes_back_once_it_is_kept() -> None:
    """In the same header; the secret is in the answer for who has to keep it, and in no representation of it."""
    answer = asana(HOOK_SECRET)

    assert answer == Answer(headers=ECHO, secret=HOOK_SECRET)
    assert repr(answer).count(HOOK_SECRET) == 1  # the header that is sent; the secret to be kept is left out


def test_asana_cannot_set_a_second_secret() -> None:
    """Nor can anybody else, also with a signature; the one we have is answered again, should the first answer be lost."""
    assert asana("f" * 64, secrets=(HOOK_SECRET,)) == Answer(status=403)
    assert asana(HOOK_SECRET, secrets=(HOOK_SECRET,)) == Answer(headers=ECHO)
    assert asana(HOOK_SECRET, secrets=("other", HOOK_SECRET)) == Answer(headers=ECHO)


@pytest.mark.parametrize(
    "secret", ["", "short", "a" * 257, "a" * 20 + "\r\nx: y", "<b>aaaaaaaaaaaaaaaaa", "é" * 20, "env:AAAAAAAAAAAAAAAAAA"]
)
def test_what_is_no_secret_is_neither_echoed_nor_kept(secret: str) -> None:
    """Too short to sign with, too long, or not what senders make; `env:` and `file:` would be read here."""
    assert asana(secret) == Answer(status=400)
    if secret.isascii():
        assert notion(json.dumps({"verification_token": secret}).encode()) == Answer(status=400)


def test_two_secrets_in_one_request_are_none() -> None:
    """Which of them would sign?"""
    assert asana(HOOK_SECRET, "f" * 64) == Answer(status=400)


def test_notions_token_is_kept_once() -> None:
    """Then it is a request like any other, and proves nothing."""
    assert notion(NOTION.body) == Answer(secret=NOTION_SECRET)
    assert notion(NOTION.body, NOTION_SECRET) == Answer()
    assert notion(NOTION.body, "another secret") == Refused(code="signature_missing")


def test_a_signed_request_is_none_of_notions() -> None:
    """An event whose document has a field of that name is an event."""
    assert isinstance(notion(NOTION.body, SECRET, headers=signed(NOTION.body)), Verified)
    assert notion(NOTION.body, headers=signed(NOTION.body)) == Refused(code="no_secret")


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"verification_token":1}', b'{"verification_token":{}}', b"verification_token=x", b"\xff"]
)
def test_other_bodies_are_not_notions(body: bytes) -> None:
    """In setup nothing else is accepted."""
    assert notion(body) == Refused(code="no_secret")


def test_a_touchpoint_proved_by_something_else_than_a_signature() -> None:
    """Where there is no place for a signature, none is looked for."""
    made = touchpoint("capture_json:verification_token", verification=Verification(scheme="token", credential="header:x-key"))

    assert receive(make_request(NOTION.body), made) == Answer(secret=NOTION_SECRET)


def test_the_body_says_nothing_of_a_touchpoint_that_captures_by_header() -> None:
    """And an event without the header is judged like any other."""
    assert receive(make_request(NOTION.body), ASANA.touchpoint) == Refused(code="no_secret")


@pytest.mark.parametrize("length", [15, 16, 256, 257])
def test_how_long_a_secret_may_be(length: int) -> None:
    """Sixteen characters to 256."""
    answer = asana("a" * length)

    assert isinstance(answer, Answer)
    assert answer.secret == ("a" * length if 16 <= length <= 256 else "")


def test_only_notions_secret_has_to_be_shown() -> None:
    """A person enters it at Notion."""
    assert shows_secret(NOTION.touchpoint.handshake)
    assert not shows_secret(ASANA.touchpoint.handshake)
    assert not shows_secret("options|of_a_newer_agent")
