"""What needs the operator: each thing with its code, how many, in words, and at which organisation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.late_file import MIGRATING
from appliance.needs import CERTIFICATE_WARNING, Need
from store.queue import Quota
from store.server_settings import ServerSettings
from touchpoints.moment import HOUR, MINUTE, Micros, rfc3339
from touchpoints.problem import Problem, problem
from web.operator.view import AgentView, OrganisationView
from web.page import figures
from web.proxy.notices import notices

Json = dict[str, Any]

SILENT: Micros = HOUR
CODE_GRACE: Micros = 10 * MINUTE  # a new organisation's code is still good


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorNeed(Need):
    """One thing that needs the operator."""

    organisation: str | None = None

    def as_json(self) -> Json:
        """The shape in `status --json`."""
        return Need.as_json(self) | {"organisation": self.organisation}


def organisation_needs(view: OrganisationView, *, now: Micros) -> Iterable[OperatorNeed]:
    """What an organisation needs, from what memory and counters tell."""
    name, backlog = view.name, view.backlog
    for code in notices(backlog, Quota(events=view.quota_events, bytes=view.quota_bytes)):
        words = {"part": f"{min(view.used, 9.99):.0%}", "events": f"{backlog.events:,}", "size": figures.size(backlog.bytes)}
        yield OperatorNeed(problem=problem(code, organisation=name, **words), count=backlog.events, organisation=name)
    living = [agent for agent in view.agents if agent.state != "revoked"]
    if not living and now - view.created_at > CODE_GRACE:
        yield OperatorNeed(problem=problem("no_agent_yet", organisation=name), organisation=name)
    able = [agent for agent in living if agent.state == "ready"]  # others take nothing, whatever they say
    heard = max((agent.last_seen_at for agent in able), default=0)
    if living and backlog.events and now - max(heard, backlog.oldest) > SILENT:
        words = {"span": figures.span(now - max(heard, view.created_at)), "count": f"{backlog.events:,}"}
        yield OperatorNeed(
            problem=problem("agents_silent", organisation=name, **words), count=backlog.events, organisation=name
        )
    for agent in able:
        if agent.lacking and not agent.holds_lease and view.holder:
            lacks = problem("agent_lacks", organisation=name, agent=agent.name, names=", ".join(agent.lacking[:5]))
            yield OperatorNeed(problem=lacks, count=len(agent.lacking), organisation=name)


def deeper_needs(view: OrganisationView, *, now: Micros) -> Iterable[OperatorNeed]:
    """What costs a look at the disk: what agents that are gone did not settle."""
    for agent in view.agents:
        if agent.unsettled and is_gone(agent, now=now):
            words = problem("events_unsettled", organisation=view.name, agent=agent.name, count=f"{agent.unsettled:,}")
            yield OperatorNeed(problem=words, count=agent.unsettled, organisation=view.name)


def gap_needs(view: OrganisationView) -> Iterable[OperatorNeed]:
    """What a restore lost of an organisation's queue."""
    if view.gap is not None:
        words = problem("queue_gap", organisation=view.name, first=view.gap[0], last=view.gap[1])
        yield OperatorNeed(problem=words, organisation=view.name)


def is_gone(agent: AgentView, *, now: Micros) -> bool:
    """Whether an agent that took events will hardly settle them."""
    return agent.state == "revoked" or (not agent.holds_lease and now - agent.last_seen_at > SILENT)


def expired_needs(expired: Mapping[str, int]) -> Iterable[OperatorNeed]:
    """Events that went by their age, by organisation."""
    for name, count in expired.items():
        yield OperatorNeed(
            problem=problem("events_expired", organisation=name, count=f"{count:,}"), count=count, organisation=name
        )


def server_needs(
    settings: ServerSettings,
    *,
    store_trouble: Problem | None,
    disk_trouble: Problem | None,
    not_applied: Sequence[Problem],
    warnings: Iterable[Problem],
    listener_error: str,
    certificates: Iterable[tuple[str, Micros | None]],
    organisations: int,
    now: Micros,
) -> Iterable[OperatorNeed]:
    """What the proxy itself needs. `certificates`: each problem's code, and when the certificate ends."""
    if store_trouble is not None and store_trouble.code == MIGRATING:
        yield OperatorNeed(problem=store_trouble)
    elif store_trouble is not None:
        yield OperatorNeed(problem=problem("queue_store_down", why=store_trouble.text, mend=store_trouble.mend))
    if disk_trouble is not None:
        yield OperatorNeed(problem=disk_trouble)
    if not_applied:
        words = problem("config_not_applied", errors=" ".join(str(one) for one in not_applied[:3]))
        yield OperatorNeed(problem=words, count=len(not_applied))
    yield from (OperatorNeed(problem=warning) for warning in warnings)
    if not settings.public_url:
        yield OperatorNeed(problem=problem("server_not_set_up"))
    if listener_error:
        yield OperatorNeed(problem=problem("listener_down", error=listener_error))
    for code, ends in certificates:
        if ends is not None and ends - now < CERTIFICATE_WARNING:
            yield OperatorNeed(problem=problem(code, day=rfc3339(ends)[:10]))
    if settings.public_url and not organisations:
        yield OperatorNeed(problem=problem("no_organisation_yet"))
