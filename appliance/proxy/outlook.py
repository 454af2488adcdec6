"""The outlook: how each organisation stands, gathered from snapshot, sightings and queue."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from appliance.clock import Clock
from appliance.proxy.traffic import Traffic
from store.organisations import Organisation, PairedAgent
from store.queue import Queue
from store.server_settings import ServerSettings
from touchpoints.moment import MINUTE, Micros
from touchpoints.problem import ProblemError, problem
from touchpoints.pull.message import Backlog
from touchpoints.pull.token import endpoint_path
from web.operator.view import AgentView, OrganisationView
from web.proxy.hub import Hub
from web.proxy.notices import used_part

CONNECTED: Micros = 2 * MINUTE  # an agent pulls at least once a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Looks at organisations. `queue` gives None while the queue's file cannot be used."""

    hub: Hub
    queue: Callable[[], Queue | None]
    settings: Callable[[], ServerSettings]
    traffic: Traffic
    clock: Clock

    def named(self, name: str) -> Organisation:
        """Raises ProblemError(organisation_unknown)."""
        found = next((one for one in self.hub.directory().organisations.values() if one.name == name), None)
        if found is None:
            raise ProblemError(problem("organisation_unknown", name=ascii(name[:64])[1:-1]))
        return found

    async def all(self, *, after: str = "", limit: int = 0) -> Sequence[OrganisationView]:
        """Organisations by name, without what costs a look at the disk for each."""
        directory = self.hub.directory()
        chosen = sorted((one for one in directory.organisations.values() if one.name > after), key=lambda one: one.name)
        if limit:
            chosen = chosen[:limit]
        wanted = {one.id for one in chosen}
        agents: dict[int, list[PairedAgent]] = {}
        for agent in directory.agents.values():
            if agent.organisation in wanted:
                agents.setdefault(agent.organisation, []).append(agent)
        endpoints: dict[int, int] = {}
        for endpoint in directory.endpoints.values():
            if endpoint.organisation in wanted:
                endpoints[endpoint.organisation] = endpoints.get(endpoint.organisation, 0) + 1
        queue = self.queue()
        backlogs = await queue.backlogs() if queue else {}
        look = partial(self._view, agents=agents, endpoints=endpoints, backlogs=backlogs)
        return [await look(one) for one in chosen]

    async def one(self, name: str) -> OrganisationView:
        """One organisation with everything. Raises ProblemError(organisation_unknown)."""
        organisation = self.named(name)
        directory, queue = self.hub.directory(), self.queue()
        mine = [agent for agent in directory.agents.values() if agent.organisation == organisation.id]
        count = sum(1 for endpoint in directory.endpoints.values() if endpoint.organisation == organisation.id)
        backlog = await queue.backlog(organisation.id) if queue else Backlog()
        view = await self._view(
            organisation,
            agents={organisation.id: mine},
            endpoints={organisation.id: count},
            backlogs={organisation.id: backlog},
        )
        return await self.deeper(view)

    async def deeper(self, view: OrganisationView) -> OrganisationView:
        """The same with what costs a look at the disk: its gap, and what each agent did not settle. Raises StoreUnavailable."""
        queue = self.queue()
        if queue is None or not view.agents:
            return view
        unsettled = {one.agent: one.events for one in await queue.unsettled(view.id)}
        lease = await queue.lease_of(view.id, now=self.clock.steady())
        told = tuple(replace(agent, unsettled=unsettled.get(agent.id, 0)) for agent in view.agents)
        return replace(view, agents=told, gap=lease.gap)

    async def _view(
        self,
        organisation: Organisation,
        *,
        agents: Mapping[int, Sequence[PairedAgent]],
        endpoints: Mapping[int, int],
        backlogs: Mapping[int, Backlog],
    ) -> OrganisationView:
        queue, settings = self.queue(), self.settings()
        mine = agents.get(organisation.id, ())
        holder = ""
        if queue is not None and mine:
            holder = (await queue.lease_of(organisation.id, now=self.clock.steady())).agent
        backlog, quota = backlogs.get(organisation.id, Backlog()), self.hub.quota(organisation.id)
        shown = [self._agent(agent, holder) for agent in mine]
        return OrganisationView(
            id=organisation.id,
            name=organisation.name,
            created_at=organisation.created_at,
            quota_events=quota.events,
            quota_bytes=quota.bytes,
            own_events=organisation.quota_events,
            own_bytes=organisation.quota_bytes,
            backlog=backlog,
            used=used_part(backlog, quota),
            agents=tuple(sorted(shown, key=lambda agent: (agent.state == "revoked", agent.paired_at))),
            endpoints=endpoints.get(organisation.id, 0),
            last_hour=self.traffic.last_hour(organisation.id),
            base=settings.public_url,
            url=_beginning(settings, organisation.name),
        )

    def _agent(self, agent: PairedAgent, holder: str) -> AgentView:
        heard = self.hub.sightings.last(agent.id)
        seen = heard.at if heard else agent.last_seen_at
        living = agent.state != "revoked"
        return AgentView(
            id=agent.id,
            name=agent.name,
            state=agent.state,
            fingerprint=agent.fingerprint,
            version=heard.version if heard else agent.version,
            paired_at=agent.paired_at,
            last_seen_at=seen,
            connected=living and heard is not None and 0 <= self.clock.now() - seen < CONNECTED,
            holds_lease=living and agent.id == holder,
            paused=heard.paused if heard else "",
            lacking=heard.lacking if heard else agent.lacking,
        )


def _beginning(settings: ServerSettings, name: str) -> str:
    """How the organisation's endpoint URLs begin; empty while the proxy has no public URL."""
    base = settings.public_url.rstrip("/")
    if not base:
        return ""
    if settings.wildcard:
        scheme, _, rest = base.partition("://")
        return f"{scheme}://{name}.{rest}/"
    return base + endpoint_path(name, "", "").rstrip("/") + "/"
