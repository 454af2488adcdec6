"""By which headers providers prove themselves: for telling who a request looks like it came from."""

from collections.abc import Iterable, Mapping
from functools import cache

from touchpoints.provider import providers

_SHARED = frozenset({"authorization"})  # many senders use it: it tells nothing about which one it is


def providers_by_headers(headers: Iterable[str]) -> tuple[str, ...]:
    """The names of the providers that sign with one of these headers (in lower case), in the order of the headers."""
    known = _headers()
    return tuple(dict.fromkeys(name for header in headers for name in known.get(header, ())))


@cache
def _headers() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in providers().values():
        for row in (one.verify, *one.alternatives):
            places = str(row.get("signature") or row.get("credential") or "").split("|")
            for name in (place.removeprefix("header:").lower() for place in places if place.startswith("header:")):
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), one.name)))
    return {name: found[name] for name in found.keys() - _SHARED}
