"""The judge of what arrived: slow is not lost, and what stays away is."""

import asyncio

import pytest

from tests.chaos.ledger import Ledger, body_of

pytestmark = pytest.mark.anyio


async def test_what_is_slow_is_not_lost_and_what_stays_away_is() -> None:
    """It waits as long as something arrives, and no longer."""
    ledger = Ledger()
    ledger.accepted = {1, 2, 3, 4}
    loop = asyncio.get_running_loop()
    for number in (1, 2, 3):
        loop.call_later(0.4 * number, ledger.ran, body_of(number), "one id")
    found = await ledger.judge(seconds=0.5)
    assert (found.tried, found.lost, found.stuck) == (4, 1, 0)
    assert found.notes == ["missing: [4]"]
