"""Filled: orders that came and were delivered into nothing, quickly and in any number."""

import asyncio
import hashlib
import json

from appliance.agent import Agent
from tests.appliance.agents import apply
from touchpoints.event import Arrival, ArrivedBy, Event, Verdict
from touchpoints.moment import SECOND

TEXT = """
[[touchpoint]]
name = "orders"
provider = "generic"
verify = { scheme = "none", allow_unsigned = true }
reference = "json:/name"
"""


async def fill(agent: Agent, count: int, *, first: int = 1, more: str = "") -> None:
    """Put orders #1001 … into the inbox of a touchpoint without a destination, and wait until they are planned.

    `first`: the order to begin with; `more`: further touchpoints of the configuration.
    """
    assert (await apply(agent, '[retention]\nfree_disk = "0B"\n' + TEXT + more)).problems == ()
    assert agent._works is not None
    number, now = agent.configuration.touchpoints[0].id, agent._clock.now()
    inbox = agent._works.events.inbox
    ages = ((count - one) * SECOND // 100 for one in range(1, count + 1))
    await asyncio.gather(*(inbox.put(order(number, 1000 + first + place, now - age)) for place, age in enumerate(ages)))
    agent._works.wake()
    async with asyncio.timeout(10):
        while (await agent.control.status())["backlog"]["inbox"]:
            await asyncio.sleep(0.02)


def order(touchpoint: int, number: int, received_at: int) -> Arrival:
    """An order, verified."""
    items = [{"sku": f"88-{line}", "quantity": line, "title": "Copper kettle"} for line in range(1, 6)]
    body = json.dumps({"name": f"#{number}", "line_items": items}).encode()
    event = Event(
        id=f"{number:026d}",
        touchpoint=touchpoint,
        received_at=received_at,
        arrived_by=ArrivedBy.DIRECT,
        verdict=Verdict.ACCEPTED,
        method="POST",
        target="/hooks/orders",
        headers=((b"content-type", b"application/json"),),
        remote="192.0.2.7",
        event_type="orders/create",
        reference=f"#{number}",
        body_bytes=len(body),
        body_hash=hashlib.sha256(body).digest(),
    )
    return Arrival(event=event, body=body)
