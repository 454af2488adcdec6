"""What is seen of a data folder by the program's own interfaces: it must be the same before and after an upgrade."""

from collections import Counter
from pathlib import Path
from typing import Any

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from appliance.proxy.server import open_proxy
from store.log import Filter
from store.people import People
from tests.appliance.agents import agent_over

Seen = dict[str, Any]


async def seen_of_agent(folder: Path, clock: Clock) -> Seen:
    """Of a stopped agent's folder."""
    async with agent_over(folder, start=False, clock=clock) as agent:
        await agent.catch_up()
        events = agent.opened.readable()
        listed = await events.log.events(Filter(tests=True), limit=1000)
        pairing, backlog = agent.proxy.path.pairing, await events.log.backlog()
        assert pairing is not None
        timelines = [await events.log.timeline(one.event.id) for one in listed]
        return {
            "verdicts": dict(Counter(one.event.verdict.value for one in listed)),
            "deliveries": dict(Counter(delivery.state.value for one in listed for delivery in one.deliveries)),
            "references": sorted(one.event.reference for one in listed if one.event.reference),
            "tests": sum(one.event.test for one in listed),
            "attempts": sum(len(one.attempts) for one in timelines if one),
            "duplicates": sum(len(one.duplicates) for one in timelines if one),
            "backlog": [backlog.inbox, backlog.outbox, backlog.held, backlog.given_up, backlog.refused],
            "docked": sum(berth.waiting for berth in await events.dock.berths()),
            "down": sum(one.down_since is not None for one in await events.outbox.health()),
            "touchpoints": [[one.name, one.state.value, len(one.secrets)] for one in agent.configuration.touchpoints],
            "captured": len(agent.control.captured()),
            "paired": [pairing.domain, pairing.agent_name, len(await agent.opened.pairings.tokens())],
            "told": [one.code for one in await agent.opened.alerts.recall("email")],
            "ways": sorted(one.path for one in await agent.opened.old_paths.load()),
            **await _people(agent.opened.people),
        }


async def seen_of_proxy(folder: Path, clock: Clock) -> Seen:
    """Of a stopped proxy's folder."""
    role = await open_proxy(DataFolder(path=folder), clock, {}, Redactor())
    try:
        await role.load()
        await role.catch_up()
        views = [await role.control.organisation(one.name) for one in await role.control.organisations()]
        return {
            "organisations": [
                {
                    "name": one.name,
                    "quota": one.own_events,
                    "waiting": [one.backlog.events, one.backlog.bytes],
                    "agents": [[agent.name, agent.state, agent.fingerprint, agent.unsettled] for agent in one.agents],
                    "endpoints": one.endpoints,
                    "gap": list(one.gap or ()),
                }
                for one in views
            ],
            **await _people(role.opened.people),
        }
    finally:
        await role.opened.close()


async def _people(people: People) -> Seen:
    return {
        "people": list(await people.persons()),
        "tokens": [[one.name, one.scope.value] for one in await people.tokens()],
        "audit": [line.action for _, line in await people.audited(limit=1000)],
    }
