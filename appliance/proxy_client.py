"""The HTTP client to a hosted proxy: by the system's authorities, HTTPS_PROXY and NO_PROXY, as to every destination."""

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from touchpoints.destinations.transport import open_transport
from touchpoints.touchpoint import HttpDestination

CONNECTIONS = 8  # a waiting pull, an acknowledgement, a few answers to asks, and what a person asks for


def open_client(url: str, environment: Mapping[str, str]) -> httpx.AsyncClient:
    """A client with connections of its own; the caller closes it. Raises ValueError for an HTTPS_PROXY that is none."""
    place = HttpDestination(id=0, name="proxy", url=url, concurrency=CONNECTIONS)
    # What a proxy, or a device before it, would have us remember, it could also tell agents apart by.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(transport=open_transport(place, environment), cookies=no_cookies)
