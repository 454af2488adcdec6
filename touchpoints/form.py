"""The form of a value: what can be told of it without telling the value itself."""

import re
from dataclasses import dataclass

_PREFIXES = ("sha1=", "sha256=", "sha512=", "v0=", "v1=", "v1,", "v1a,", "t=", "hmac ", "basic ", "bearer ", "whsec_", "whpk_")
_KINDS = (
    ("digits", re.compile(r"[0-9]+")),
    ("hex", re.compile(r"[0-9a-fA-F]+")),
    ("jwt", re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")),
    ("letters", re.compile(r"[A-Za-z0-9]+")),
    ("base64", re.compile(r"[A-Za-z0-9+/]+={0,2}")),
    ("base64url", re.compile(r"[A-Za-z0-9_-]+={0,2}")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a value is written. A `length` of 0 with a kind other than `empty` means any."""

    kind: str  # digits | hex | letters (and digits) | base64 | base64url | jwt | iso | either (hex or base64) | text | empty
    length: int = 0  # characters after the prefix
    prefix: str = ""  # one of the well known ones, in lower case where it came, or as a provider writes it
    tag: str = ""  # it is one of several in a list, marked so


def form_of(value: bytes, *, prefix: str = "") -> Form:
    """The form of a value that came; `prefix` is the one that is expected, and is known as such."""
    text = value.decode("latin-1")
    known = next((one for one in (prefix, *_PREFIXES) if one and text[: len(one)].lower() == one.lower()), "")
    rest = text[len(known) :]
    if not rest:
        return Form(kind="empty", prefix=known)
    kind = next((name for name, shape in _KINDS if shape.fullmatch(rest)), "text")
    return Form(kind=kind, length=len(rest), prefix=known)
