"""Status over the API."""

import pytest

from tests.web.api.stand_in import StandIn

pytestmark = pytest.mark.anyio


async def test_status_and_touchpoints_are_handed_on(stand_in: StandIn) -> None:
    """The objects the process makes arrive with every key."""
    async with stand_in.client() as client:
        assert (await client.get("/api/v1/status")).json() == await stand_in.control.status()
        assert (await client.get("/api/v1/touchpoints")).json() == await stand_in.control.touchpoints()
