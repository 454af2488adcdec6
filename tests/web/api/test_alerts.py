"""Alerts over the API."""

import pytest

from store.people import Scope
from tests.web.api.stand_in import NOW, StandIn
from web.guard_token import token_digest

pytestmark = pytest.mark.anyio


async def test_how_they_fare_and_a_test(stand_in: StandIn) -> None:
    """The objects the process makes arrive with every key, and an outcome that failed is an answer."""
    async with stand_in.client() as client:
        assert (await client.get("/api/v1/alerts")).json() == stand_in.control.alerts()
        stand_in.control.ok = False
        tested = await client.post("/api/v1/alerts/test")
        assert tested.status_code == 200
        assert tested.json() == {"channels": [{"channel": "webhook", "sent": False, "error": "It answered 500."}]}
    (call,) = stand_in.control.calls
    assert (call[0], call[1], call[2].name) == ("test_alerts", None, "machine")


async def test_a_token_that_reads_sends_no_test(stand_in: StandIn) -> None:
    """It sees; operate sends."""
    for scope, status in ((Scope.READ, 403), (Scope.OPERATE, 200)):
        await stand_in.people.add_token(scope.value, scope, token_digest(scope.value), now=NOW)
        async with stand_in.client(scope.value) as client:
            assert (await client.get("/api/v1/alerts")).status_code == 200
            assert (await client.post("/api/v1/alerts/test")).status_code == status
