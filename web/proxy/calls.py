"""The smaller calls of the pull API: acknowledge, release, reply, declare, approve, and all that agents do beside pulling."""

from collections.abc import Awaitable, Callable

from store.organisations import PairedAgent
from touchpoints.problem import problem
from touchpoints.pull.call import (
    Acknowledge,
    Approve,
    Declared,
    Done,
    KeyAnswer,
    Ready,
    RecoveryAnswer,
    Release,
    Renew,
    Seek,
    State,
    StateAgent,
    TakeOver,
)
from touchpoints.pull.declaration import Declaration, declaration_digest
from touchpoints.pull.message import CANNOT_NOW, Reply
from touchpoints.pull.proof import check_renewal
from web.proxy.call import Call, NotNow, Outcome, answer
from web.proxy.lease import free_lease
from web.proxy.notices import notices
from web.proxy.pull import pull


async def acknowledge(call: Call) -> Outcome:
    """Move the position, if this agent holds the lease of that epoch."""
    asked = call.read(Acknowledge)
    agent = call.ready()
    outcome = await call.queue.acknowledge(
        agent.organisation,
        agent.id,
        incarnation=asked.incarnation,
        epoch=asked.epoch,
        to=asked.to,
        event_id=asked.id,
        now=call.hub.now(),
        steady=call.hub.steady(),
    )
    return answer(outcome)


async def release(call: Call) -> Outcome:
    """Another agent may take over now."""
    asked = call.read(Release)
    hub, organisation = call.hub, call.ready().organisation
    hub.sightings.goodbye(call.agent.id)
    held = (await call.queue.lease_of(organisation, now=hub.steady())).agent == call.agent.id
    await call.queue.release(organisation, call.agent.id, epoch=asked.epoch)
    if held:  # the goodbye of another one does not mean that nobody answers challenges
        hub.asks.forget(organisation)
    hub.bells.call(organisation)
    return answer(Done())


async def reply(call: Call) -> Outcome:
    """The answer to an ask. Its shape holds it to headers that a handshake can need, and to nothing a browser would run."""
    given = call.read(Reply)
    call.ready()
    lease = await call.queue.lease_of(call.agent.organisation, now=call.hub.steady())
    if lease.agent != call.agent.id:
        raise NotNow(409, problem("lease_lost"))
    if given.status >= 500 and given.status != CANNOT_NOW:
        raise NotNow(400, problem("reply_refused"))
    return answer(Done(events=int(call.hub.asks.reply(call.agent.organisation, given))))


async def declare(call: Call) -> Outcome:
    """Take up the lease holder's declaration."""
    declaration = call.read(Declaration)
    agent = call.ready()
    digest = declaration_digest(declaration)
    lease = await call.queue.lease_of(agent.organisation, now=call.hub.steady())
    if lease.agent != agent.id:
        return answer(Declared(digest=call.organisation.declaration, counts=False))
    if digest != call.organisation.declaration:
        hub = call.hub
        await hub.organisations.declare(
            agent.organisation, declaration, digest=digest, overlap=hub.settings().token_overlap, now=hub.now()
        )
        await hub.refresh()
    return answer(Declared(digest=digest, counts=True))


async def declaration(call: Call) -> Outcome:
    """The declaration that counts now, with its sealed tokens."""
    call.ready()
    _, declared = await call.hub.organisations.declaration(call.agent.organisation)
    return answer(declared)


async def state(call: Call) -> Outcome:
    """Everything an agent's page shows of its organisation."""
    hub, queue, organisation = call.hub, call.queue, call.organisation
    lease = await queue.lease_of(organisation.id, now=hub.steady())
    unsettled = {one.agent: one.events for one in await queue.unsettled(organisation.id)}
    backlog, quota = await queue.backlog(organisation.id), hub.quota(organisation.id)
    agents = await hub.organisations.agents(organisation.id)
    return answer(
        State(
            organisation=organisation.id,
            domain=organisation.name,
            incarnation=lease.incarnation,
            acknowledged=lease.acknowledged,
            next_seq=lease.next_seq,
            agents=tuple(_state_of(call, agent, lease.agent, unsettled.get(agent.id, 0)) for agent in agents),
            backlog=backlog,
            quota_events=quota.events,
            quota_bytes=quota.bytes,
            declaration=organisation.declaration,
            notices=notices(backlog, quota),
            gap=lease.gap,
            now=hub.now(),
        )
    )


def _state_of(call: Call, agent: PairedAgent, holder: str, unsettled: int) -> StateAgent:
    heard = call.hub.sightings.last(agent.id)
    return StateAgent(
        id=agent.id,
        name=agent.name,
        state=agent.state,
        signing_key=agent.signing_key,
        exchange_key=agent.exchange_key,
        version=heard.version if heard else agent.version,
        paired_at=agent.paired_at,
        last_seen_at=heard.at if heard else agent.last_seen_at,
        holds_lease=agent.id == holder,
        lacking=heard.lacking if heard else agent.lacking,
        unsettled=unsettled,
    )


async def approve(call: Call) -> Outcome:
    """A person at this agent compared the other's fingerprint: its wrapped key is kept for it."""
    asked = call.read(Approve)
    agent = call.ready()
    hub = call.hub
    await hub.organisations.hand_over(agent.organisation, asked.agent_id, asked.wrapped_key, by=agent.name, now=hub.now())
    await hub.refresh()
    hub.bells.call(agent.organisation)
    return answer(Done())


async def recovery(call: Call) -> Outcome:
    """The organisation's private key under the recovery key."""
    organisation = call.organisation
    return answer(RecoveryAnswer(sealing_key=organisation.sealing_key or b"", recovery_box=organisation.recovery_box))


async def key(call: Call) -> Outcome:
    """What this agent was handed; and, while it waits, what it must open with it."""
    hub, sealing_key = call.hub, call.organisation.sealing_key
    found = await hub.organisations.agent(call.agent.id) or call.agent
    challenge = hub.readiness.challenge(found, sealing_key) if sealing_key and found.state == "waiting" else b""
    return answer(KeyAnswer(state=found.state, wrapped_key=found.wrapped_key, challenge=challenge))


async def ready(call: Call) -> Outcome:
    """This agent has the organisation's private key, and proves it. Who is ready may say so again: the answer was lost."""
    asked, hub, agent = call.read(Ready), call.hub, call.agent
    if agent.state != "ready":
        if not hub.readiness.proves(agent, call.organisation.sealing_key or b"", asked.secret):
            raise NotNow(403, problem("ready_unproved"))
        await hub.organisations.ready(agent.id, now=hub.now())
        await hub.refresh()
        hub.bells.call(agent.organisation)  # it pulls already, and may have the lease now
    return answer(Done())


async def renew(call: Call) -> Outcome:
    """A new signing key beside the present one."""
    asked = call.read(Renew)
    agent = call.ready()
    if not check_renewal(asked.new_key, asked.proof, agent=agent.id, old_public=agent.signing_key):
        raise NotNow(400, problem("renewal_refused"))
    await call.hub.organisations.renew_key(agent.id, new=asked.new_key, now=call.hub.now())
    await call.hub.refresh()
    return answer(Done())


async def take_over(call: Call) -> Outcome:
    """Queue again what another agent took and did not settle: a person asked for it, and knows that it may run twice."""
    asked = call.read(TakeOver)
    agent = call.ready()
    count = await call.queue.take_over(agent.organisation, asked.agent_id, now=call.hub.now(), steady=call.hub.steady())
    call.hub.bells.ring(agent.organisation)
    return answer(Done(events=count))


async def seek(call: Call) -> Outcome:
    """Queue again what was acknowledged after a position and is still kept."""
    asked = call.read(Seek)
    agent = call.ready()
    count = await call.queue.seek(agent.organisation, to=asked.to, now=call.hub.now())
    call.hub.bells.ring(agent.organisation)
    return answer(Done(events=count))


async def leave(call: Call) -> Outcome:
    """The agent takes itself out of its organisation."""
    agent, hub = call.agent, call.hub
    await hub.organisations.revoke(agent.organisation, agent.id, actor=f"agent:{agent.name}", now=hub.now())
    await hub.refresh()
    await free_lease(hub, agent.organisation)
    return answer(Done())


Handler = Callable[[Call], Awaitable[Outcome]]

CALLS: dict[tuple[str, bytes], Handler] = {
    ("POST", b"/v1/pull"): pull,
    ("POST", b"/v1/acknowledge"): acknowledge,
    ("POST", b"/v1/release"): release,
    ("POST", b"/v1/reply"): reply,
    ("PUT", b"/v1/declaration"): declare,
    ("GET", b"/v1/declaration"): declaration,
    ("GET", b"/v1/state"): state,
    ("POST", b"/v1/approve"): approve,
    ("GET", b"/v1/recovery"): recovery,
    ("GET", b"/v1/key"): key,
    ("POST", b"/v1/ready"): ready,
    ("POST", b"/v1/renew"): renew,
    ("POST", b"/v1/take-over"): take_over,
    ("POST", b"/v1/seek"): seek,
    ("POST", b"/v1/leave"): leave,
}
