"""The same listener and the same verification with nothing stored: `python -m tests.bench.no_store PORT`."""

import asyncio
import sys

from appliance.clock import Clock
from appliance.ids import new_id
from store.settings import Limits
from tests.bench.hook import SECRET
from touchpoints.event import Arrival
from touchpoints.provider import provider
from touchpoints.touchpoint import Touchpoint
from web.listener.app import make_app
from web.listener.budget import Budget
from web.listener.endpoint import Directory, Endpoint
from web.listener.intake import Intake
from web.listener.proxies import TrustedProxies
from web.listener.server import Listener


class Nowhere:
    """An inbox that keeps nothing."""

    async def put(self, arrival: Arrival) -> None:
        """Return at once."""

    async def take(self, *, limit: int, after: int = 0) -> tuple[()]:  # noqa: ARG002 - the interface's arguments
        """Nothing waits."""
        return ()

    async def body(self, seq: int) -> bytes:  # noqa: ARG002 - the interface's argument
        """Nothing waits, so nobody asks."""
        return b""

    async def waiting(self) -> int:
        """Nothing waits."""
        return 0


def intake() -> Intake:
    """One GitHub touchpoint named bench."""
    github = provider("github")
    touchpoint = Touchpoint(
        id=1,
        name="bench",
        provider="github",
        secrets=(SECRET,),
        reference=github.reference,
        event_type=github.event_type,
        verification=github.verification(),
        dedup=github.dedup_rule(),
    )
    directory = Directory(endpoints={"bench": Endpoint(touchpoint=touchpoint, url="http://127.0.0.1/hooks/bench")})
    limits, inbox, trusted = Limits(), Nowhere(), TrustedProxies()
    return Intake(
        directory=lambda: directory,
        inbox=lambda: inbox,
        limits=lambda: limits,
        trusted_proxies=lambda: trusted,
        budget=Budget(64 * 1024 * 1024),
        now=Clock().now,
        new_id=new_id,
        arrived=lambda: None,
        refused=lambda _event, _body: None,
    )


async def serve(port: int) -> None:
    """Serve until killed."""
    await Listener.open(make_app(intake()), "127.0.0.1", port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
