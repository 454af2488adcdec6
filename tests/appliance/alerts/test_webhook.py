"""Alerts by webhook, to a real HTTP server: signed, refused, redirected, silent."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from standardwebhooks import Webhook

from appliance.alerts.unsent import Unsent
from appliance.alerts.webhook import send_webhook
from appliance.clock import Clock
from store.settings import AlertSettings
from tests.appliance.alerts.make import message
from tests.touchpoints.destinations.raw_server import hangs, serving, status
from tests.whole.destination import Destination
from touchpoints.moment import SECOND, Micros

pytestmark = pytest.mark.anyio

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver(free_port: Callable[[], int]) -> Iterator[Destination]:
    made = Destination(port=free_port()).start()
    yield made
    made.stop()


def settings(url: str, **changes: Any) -> AlertSettings:
    return replace(AlertSettings(webhook_url=url), **changes)


async def send(alerts: AlertSettings, *, deadline: Micros = 5 * SECOND) -> str:
    return await send_webhook(message(), alerts, environment={}, now=Clock().now, deadline=deadline)


async def unsent(alerts: AlertSettings, *, deadline: Micros = 5 * SECOND) -> Unsent:
    with pytest.raises(Unsent) as caught:
        await send(alerts, deadline=deadline)
    return caught.value


async def test_our_shape_is_signed_by_standard_webhooks(receiver: Destination) -> None:
    """A program proves it with the standard's own library."""
    await send(settings(f"{receiver.url}?key=1", webhook_secret=SECRET))
    (got,) = receiver.got
    headers = {name.lower(): value for name, value in got.headers}
    told = Webhook(SECRET).verify(got.body, headers)
    assert told["subject"] == "Hookport on srv1: given_up happened."
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize(("shape", "key"), [("hookport", "subject"), ("slack", "text"), ("teams", "attachments")])
async def test_every_shape_is_posted(receiver: Destination, shape: str, key: str) -> None:
    """Unsigned, where no secret is set."""
    assert await send(settings(receiver.url, webhook_shape=shape)) == ""
    (got,) = receiver.got
    assert key in json.loads(got.body)
    assert got.header("webhook-signature") is None


@pytest.mark.parametrize(("answered", "lasting"), [(404, True), (410, True), (429, False), (503, False), (202, None)])
async def test_what_it_answers(receiver: Destination, answered: int, lasting: bool | None) -> None:
    """A chat that is gone is tried again later than one that is busy."""
    receiver.status = answered
    if lasting is None:
        await send(settings(receiver.url))
        return
    error = await unsent(settings(receiver.url))
    assert error.lasting is lasting
    assert str(answered) in error.error


async def test_a_redirect_is_not_followed_and_a_metadata_address_not_called() -> None:
    """Whoever answers cannot send us elsewhere."""
    async with serving(status("307 Temporary Redirect", "Location: http://169.254.169.254/latest")) as server:
        assert (await unsent(settings(server.url))).lasting
        assert len(server.heads) == 1
    assert "metadata" in (await unsent(settings("http://169.254.169.254/latest"))).error


async def test_a_silent_one_is_given_up_at_the_deadline() -> None:
    """Nothing else waits for it."""
    async with serving(hangs) as server:
        assert "in full within 0.2 s" in (await unsent(settings(server.url), deadline=SECOND // 5)).error


async def test_nobody_there(free_port: Callable[[], int]) -> None:
    """No connection, without the address's path: it may be a credential."""
    error = await unsent(settings(f"http://127.0.0.1:{free_port()}/services/T0/B0/hush-path-1"))
    assert "No connection" in error.error
    assert "hush" not in error.error


async def test_retry_after_is_kept() -> None:
    """As long as it asks for."""
    async with serving(status("429 Too Many Requests", "Retry-After: 90")) as server:
        assert (await unsent(settings(server.url))).wait == 90 * SECOND
