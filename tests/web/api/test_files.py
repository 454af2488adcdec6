"""Checking both files, and beginning anew."""

import pytest

from tests.web.api.stand_in import StandIn

pytestmark = pytest.mark.anyio


async def test_a_damaged_events_file_is_told_and_begun_anew(stand_in: StandIn) -> None:
    """The check says which file is damaged; starting empty asks the process and checks again."""
    stand_in.control.ok = False
    async with stand_in.client() as client:
        assert (await client.get("/api/v1/files/check")).json() == {"configuration": True, "events": False}
        assert (await client.post("/api/v1/files/events/start-empty")).json() == {"configuration": True, "events": True}
    assert stand_in.control.calls[-1][0] == "start_empty"
