"""What a destination says back of our own secrets, as pages for debugging do, is blotted out before anything is kept of it."""

import base64
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

from touchpoints.definition_secret import is_sensitive, secret_spans
from touchpoints.destinations.address import address_of
from touchpoints.event import Headers
from touchpoints.touchpoint import HttpDestination

HIDDEN = b"[secret]"
_SHORTEST = 6  # bytes; a shorter text would stand in too much that is harmless


def hush(destination: HttpDestination) -> Callable[[bytes], bytes]:
    """A function that takes a destination's answer and gives it back without the secrets that were sent along."""
    forms = {form for secret in _secrets(destination) for form in _forms(secret) if len(form) >= _SHORTEST}
    if not forms:
        return lambda answer: answer
    pattern = re.compile(b"|".join(map(re.escape, sorted(forms, key=len, reverse=True))))
    return lambda answer: pattern.sub(HIDDEN, answer)


def hush_received(answer: bytes, headers: Headers) -> bytes:
    """The same for what the sender proved itself by, which is passed on, as far as the header's name tells that it is such."""
    for name, value in headers if answer else ():
        if len(value) >= _SHORTEST and value in answer and is_sensitive(name.decode("latin-1")):
            answer = answer.replace(value, HIDDEN)
    return answer


def _secrets(destination: HttpDestination) -> Iterator[str]:
    auth = address_of(destination).auth
    if auth is not None:
        yield auth.secret
        yield base64.b64encode(f"{auth.username}:{auth.secret}".encode()).decode()
    yield destination.sign
    yield from (value for name, value in destination.headers if is_sensitive(name))
    yield from (value for _, value in destination.query)
    yield from (destination.url[start:end] for start, end in secret_spans(destination.url))


def _forms(secret: str) -> Iterator[bytes]:
    """As it is, as an address writes it, and as JSON and HTML do."""
    for text in (secret, quote(secret, safe=""), unquote(secret)):
        yield text.encode("utf-8", "replace")
        yield text.replace("\\", "\\\\").replace('"', '\\"').replace("/", "\\/").encode("utf-8", "replace")
        yield text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode("utf-8", "replace")
