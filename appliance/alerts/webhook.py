"""Alerts by webhook, over the transport that destinations use: it follows no redirect, and calls no metadata address."""

import asyncio
from collections.abc import Callable, Mapping

import httpx

from appliance import VERSION
from appliance.alerts.message import Message
from appliance.alerts.shapes import body_of
from appliance.alerts.unsent import Unsent
from store.settings import AlertSettings
from touchpoints.attempt import Blame, Failed
from touchpoints.destinations.address import address_of
from touchpoints.destinations.answer import beginning, judge
from touchpoints.destinations.errors import failed
from touchpoints.destinations.transport import open_transport
from touchpoints.moment import SECOND, Micros
from touchpoints.sign import sign_standard
from touchpoints.touchpoint import HttpDestination

DEADLINE = 30 * SECOND


async def send_webhook(
    message: Message,
    settings: AlertSettings,
    *,
    environment: Mapping[str, str],
    now: Callable[[], Micros],
    deadline: Micros = DEADLINE,
) -> str:
    """Post the message. Raises Unsent; what comes back is empty."""
    target = HttpDestination(id=0, name="alerts", url=settings.webhook_url, timeout=deadline, concurrency=1)
    try:
        transport = open_transport(target, environment)
        address = address_of(target)
    except ValueError as error:
        raise Unsent(str(error), lasting=True) from error
    body = body_of(message, settings.webhook_shape)
    request = httpx.Request(
        "POST",
        address.url,
        headers=[
            (b"Host", address.url.netloc),
            *_headers(message, settings, body, now()),
            (b"Content-Length", b"%d" % len(body)),
        ],
        content=body,
        extensions={"target": address.target},
    )
    try:
        async with asyncio.timeout(deadline / SECOND):
            response = await transport.handle_async_request(request)
            outcome = judge(response, await beginning(response), where=address.where, now=now())
    except (httpx.TransportError, OSError) as error:  # TimeoutError is an OSError
        outcome = failed(error, where=address.where, timeout=deadline)
    finally:
        await transport.aclose()
    if isinstance(outcome, Failed):
        raise Unsent(outcome.error, lasting=outcome.blame is not Blame.DESTINATION, wait=outcome.retry_after or 0)
    return ""


def _headers(message: Message, settings: AlertSettings, body: bytes, now: Micros) -> list[tuple[bytes, bytes]]:
    plain = [(b"Content-Type", b"application/json"), (b"User-Agent", f"Hookport/{VERSION}".encode())]
    if settings.webhook_shape == "hookport" and settings.webhook_secret:
        plain.extend(sign_standard(settings.webhook_secret, message.id, now, body))
    return plain
