"""Keys that senders publish: where they stand, and what was read there. Fetching is done elsewhere; deciding stays pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from touchpoints.moment import Micros

KINDS = ("x509", "pem", "jwks", "openid", "ebay")

_LONGEST_URL = 512
# One spelling only: lower-case names whose last label is no number, the standard port, no user, no escape, no fragment.
_URL = re.compile(
    r"https://(?P<host>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)"
    r"(?P<path>(?:/[A-Za-z0-9._~:+=-]+)*/?)(?:\?[A-Za-z0-9._~:/+&=-]*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlace:
    """Where published keys stand. Only a place whose host the provider's file pins is ever asked for."""

    kind: str  # how what stands there is read: one of KINDS
    url: str  # https, of the one spelling that `host_of` takes
    credential: str = field(default="", repr=False)  # ebay: client id and secret, `ID:SECRET`


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKeys:
    """What was read at a place: public keys as DER SubjectPublicKeyInfo, by key id ("" where there is one without a name)."""

    place: KeyPlace
    keys: Mapping[str, bytes]
    fetched_at: Micros
    not_before: Micros | None = None  # x509: the certificate's beginning
    not_after: Micros | None = None  # x509: the certificate's end


Keys = Mapping[KeyPlace, PublishedKeys]  # what is at hand; a place that is not in it is wanted

NO_KEYS: Keys = MappingProxyType({})


def host_of(url: str) -> str | None:
    """The host of an https address that may be fetched; None for every other text.

    Taken is only what every reader of URLs reads alike: no user, port, escape, backslash, dot segment, fragment, address
    instead of a name, trailing dot, or letter beyond ASCII.
    """
    found = _URL.fullmatch(url) if len(url) <= _LONGEST_URL else None
    if found is None or {".", ".."} & {*found["path"].split("/")}:
        return None
    return found["host"]


def pinned(url: str, hosts: Sequence[str]) -> bool:
    """Whether an address may be fetched and stands on one of the hosts: names, in which `*` stands for one whole label."""
    host = host_of(url)
    return host is not None and any(_is(host.split("."), pin.split(".")) for pin in hosts)


def _is(labels: Sequence[str], pin: Sequence[str]) -> bool:
    return len(labels) == len(pin) and all(wanted in {"*", label} for label, wanted in zip(labels, pin, strict=True))
