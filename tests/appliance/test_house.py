"""The house: what was counted is on disk when the agent has stopped."""

from pathlib import Path

import pytest

from tests.appliance.agents import agent_over
from touchpoints.moment import HOUR, MINUTE

pytestmark = pytest.mark.anyio


async def test_a_stop_writes_down_what_was_counted(tmp_path: Path) -> None:
    """The last seconds before a stop are in the chart as well."""
    async with agent_over(tmp_path / "data") as agent:
        agent._tally.received()
        await agent._house.write_down()
        now = agent._clock.now() // MINUTE * MINUTE
        spans = await agent.opened.readable().statistics.spans(since=now - HOUR, until=now + MINUTE, width=MINUTE)
    assert sum(figures.received for _, figures in spans) == 1
