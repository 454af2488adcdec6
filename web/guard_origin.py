"""Where a request comes from: cookies travel with those that other sites make, and what these may do is decided here."""

from collections.abc import Iterable
from enum import Enum

from touchpoints.problem import Problem, problem


class Origin(Enum):
    """What a request's own headers say of where it comes from."""

    OURS = "ours"  # one of our pages, or a person who typed the address
    LINK = "link"  # somebody followed a link from elsewhere: a whole page, and nothing but reading
    STRANGE = "strange"  # another site, or another port of this machine, reaches in


def origin_of(headers: Iterable[tuple[bytes, bytes]], *, method: str, scheme: str, whole_page: bool) -> Origin:
    """Judge a request. `whole_page` tells that its answer may be opened by a link: no stream, no export, no API.

    `Sec-Fetch-*` are set by browsers and cannot be forged by pages, but old browsers lack them; then Origin decides. A GET that
    has neither may be a whole page and nothing else.
    """
    found = _single(headers)
    if found is None:
        return Origin.STRANGE
    reads = method in ("GET", "HEAD")
    own = f"{scheme}://{found.get(b'host', '')}".lower()
    source = found.get(b"origin")
    if source is not None and source.lower() != own:
        return Origin.STRANGE
    site = found.get(b"sec-fetch-site")
    if site == "same-origin":
        return Origin.OURS
    if site is None:
        return Origin.OURS if source is not None or (reads and whole_page) else Origin.STRANGE
    navigates = reads and found.get(b"sec-fetch-mode") == "navigate" and found.get(b"sec-fetch-dest") == "document"
    if not navigates:
        return Origin.STRANGE
    if site == "none":
        return Origin.OURS
    return Origin.LINK if whole_page else Origin.STRANGE


_READ = (b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")


def _single(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str] | None:
    """The headers that count here, or None when one of them is said twice."""
    found: dict[bytes, str] = {}
    for name, value in headers:
        if name in _READ:
            if name in found:
                return None
            found[name] = value.decode("latin-1").strip()
    return found


def strange_origin(path: str) -> Problem:
    """Why a request that reaches in from elsewhere is refused."""
    return problem("origin_strange", address=ascii(path[:100])[1:-1])
