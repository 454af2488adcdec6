"""The proxy's public ASGI app: endpoint URLs of every organisation, the pull API, and health."""

from typing import cast

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from store.organisations import ProxyEndpoint
from touchpoints.event import Headers
from touchpoints.pull.token import split_path, token_digest
from touchpoints.request import Request
from web.listener.app import TOO_MANY, UNKNOWN, answer_by, health, may_ask, with_one_handler
from web.listener.body import BodyReader
from web.listener.crowd import key_of
from web.listener.intake import Taken, not_allowed
from web.listener.rate import Rate
from web.proxy.api import PAIR, PATHS, api
from web.proxy.held import Held
from web.proxy.hub import Hub
from web.proxy.intake import intake

HEALTH = b"/health"
PAIRINGS_PER_SECOND = 2  # of one address


def make_proxy_app(hub: Hub) -> ASGIApp:
    """The app. As at the agent's listener, its one handler answers everything."""
    rates = Rates()

    async def public(scope: Scope, receive: Receive, send: Send) -> None:
        held = Held(hub.outgoing)
        try:
            await answer_by(_answer(hub, rates, cast(HTTPScope, scope), receive, held), scope, send)
        finally:
            held.release()

    return with_one_handler(public, straight=lambda path: path != HEALTH)


class Rates:
    """How often one endpoint, and one address, may post."""

    def __init__(self) -> None:
        self._endpoints, self._addresses, self._pairing = Rate(), Rate(), Rate()

    def allow(self, hub: Hub, endpoint: ProxyEndpoint, address: str) -> bool:
        """Whether one more request may pass now."""
        settings, now = hub.settings(), hub.now()
        if settings.per_second and not self._endpoints.allow(endpoint.id, settings.per_second, now):
            return False
        return not settings.address_per_second or self._addresses.allow(key_of(address), settings.address_per_second, now)

    def may_pair(self, hub: Hub, address: str) -> bool:
        """Whether an address may try to pair now: a stranger could else spend the tries of every open code."""
        return self._pairing.allow(key_of(address), PAIRINGS_PER_SECOND, hub.now())


async def _answer(hub: Hub, rates: Rates, scope: HTTPScope, receive: Receive, held: Held) -> Taken:
    path = scope["raw_path"]
    if path in PATHS:
        if path == PAIR and not rates.may_pair(hub, _remote(hub, scope)):
            return TOO_MANY
        return await api(hub, scope, receive, held)
    if path == HEALTH:
        return health(scope["method"], migrating=hub.migrating())
    endpoint = _endpoint(hub, scope)
    if endpoint is None:
        return UNKNOWN
    if not may_ask(scope["method"], endpoint.methods, endpoint.handshake):
        return not_allowed(endpoint.methods)
    headers: Headers = tuple(scope["headers"])
    remote = _remote(hub, scope)
    if not rates.allow(hub, endpoint, remote):
        return TOO_MANY
    reader = BodyReader(hub.budget, hub.patience)
    try:
        body = await reader.read(headers, receive, hub.settings().body)
        return await intake(hub, _request(hub, scope, headers, body, remote), endpoint)
    finally:
        reader.release()


def _endpoint(hub: Hub, scope: HTTPScope) -> ProxyEndpoint | None:
    """The endpoint of a path's token. Everything else about the path must fit as well: one endpoint has one address."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    named = split_path(scope["raw_path"], host, proxy_host=hub.settings().wildcard_host)
    if named is None:
        return None
    endpoint = hub.directory().endpoints.get(token_digest(named.token))
    if endpoint is None or endpoint.domain != named.domain or named.touchpoint not in endpoint.names:
        return None
    retired = endpoint.retires_at is not None and endpoint.retires_at <= hub.now()
    return None if retired else endpoint


def _remote(hub: Hub, scope: HTTPScope) -> str:
    client = scope["client"]
    return hub.trusted_proxies().sender(client[0] if client else "", tuple(scope["headers"]))


def _request(hub: Hub, scope: HTTPScope, headers: Headers, body: bytes, remote: str) -> Request:
    query = scope["query_string"].decode("latin-1")
    target = scope["raw_path"].decode("ascii") + (f"?{query}" if query else "")
    return Request(
        method=scope["method"],
        target=target,
        headers=headers,
        body=body,
        remote=remote,
        received_at=hub.now(),
        url=hub.settings().public_url + target,
    )
