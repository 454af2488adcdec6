import asyncio
import signal
from collections.abc import Iterator

import pytest

from appliance.signals import stop_on_signals

pytestmark = pytest.mark.anyio

ASKING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ASKING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ASKING)
async def test_each_signal_asks_for_the_end(number: int) -> None:
    """The loop wakes for it at once, also twice, and nothing is raised anywhere."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    signal.raise_signal(number)
    signal.raise_signal(number)
    async with asyncio.timeout(2):
        await stop.wait()
