"""Senders' JavaScript libraries, and small readings that their tests share."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from tests.touchpoints.providers.node import node
from touchpoints.event import Headers
from touchpoints.provider import provider


def asked(*questions: dict[str, Any]) -> list[Any]:
    """The answers of tests/signers/senders.mjs, one for each question. Skips the test where node is not installed."""
    return [json.loads(line) for line in node("senders.mjs", lines=[json.dumps(question) for question in questions])]


@lru_cache(maxsize=256)
def _signed(question: str) -> str:
    return str(asked(json.loads(question))[0])


def signed_by(ask: str, **question: Any) -> str:
    """A signature by one of those libraries; the same question is asked once."""
    return _signed(json.dumps({"ask": ask, **question}, sort_keys=True))


def body_key(body: str) -> str:
    """The dedup key `body`."""
    return "sha256:" + hashlib.sha256(body.encode()).hexdigest()


def sample_of(name: str) -> str:
    """The body of a provider's sample."""
    return provider(name).sample.body


def text_of(headers: Headers, name: str) -> str:
    """A header's value as text."""
    return next(value.decode() for key, value in headers if key == name.encode())
