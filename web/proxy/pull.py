"""POST /v1/pull: an agent waits for events. One holder an organisation; the others are told who it is."""

import asyncio
from dataclasses import replace

from store.queue import Lease, Pulled
from touchpoints.problem import problem
from touchpoints.pull.frames import FRAMES, batch_chunks, batch_to_json
from touchpoints.pull.frames import JSON as AS_JSON
from touchpoints.pull.message import Backlog, Batch, PullRequest
from web.proxy.call import Call, NotNow, Outcome
from web.proxy.notices import notices
from web.proxy.sightings import Sighting

LONGEST_WAIT = 55.0  # seconds: many load balancers cut at sixty
MOST_EVENTS = 1000
MOST_BYTES = 16 * 1024 * 1024
AGAIN = 2.0  # seconds between two answers to an agent that was handed its key and has not said that it is ready
UNHEARD = 50.0  # seconds that a pull waits before it renews the lease by itself: our agents ask again sooner
MARGIN = 5.0  # seconds before the end of a lease at which a waiting pull renews it
_LARGE = 256 * 1024  # bytes of events from which they are written in a thread
NOTHING = Pulled(messages=(), keys={}, more=False)


async def pull(call: Call) -> Outcome:
    """Take or renew the lease, wait for events or asks, answer with what is there."""
    asked = call.read(PullRequest)
    version = call.headers.get("user-agent", "")[:40]
    call.hub.sightings.note(
        call.agent.id, Sighting(at=call.hub.now(), version=version, lacking=asked.lacking, paused=asked.paused)
    )
    batch = await (_as_holder(call, asked) if call.agent.state == "ready" else _wait_for_key(call, asked))
    kind, write = (AS_JSON, batch_to_json) if AS_JSON in call.headers.get("accept", "") else (FRAMES, _frames)
    large = sum(len(message.data) for message in batch.messages) > _LARGE
    body = await asyncio.to_thread(write, batch) if large else write(batch)
    return Outcome(headers=((b"content-type", kind.encode()),), body=body)


def _frames(batch: Batch) -> bytes:
    return b"".join(batch_chunks(batch))


async def _wait_for_key(call: Call, asked: PullRequest) -> Batch:
    """An agent that nobody approved yet: it is told as soon as somebody has."""
    hub, organisation = call.hub, call.agent.organisation
    before = call.agent.wrapped_key
    # What it was handed already it may have overlooked: it is told again, though not in a circle.
    ends = min(_ends(asked), _clock() + AGAIN) if before else _ends(asked)
    while not hub.closing():
        bell = hub.bells.hear(organisation, events=False)
        try:
            now = hub.agent(call.agent.id)
            if (
                now is None
                or now.state != "waiting"
                or now.wrapped_key != before
                or not await hub.bells.wait(bell, ends - _clock(), call.gone)
            ):
                break
        finally:
            hub.bells.leave(organisation, bell)
    call.check()
    lease = await call.queue.lease_of(organisation, now=hub.steady())
    return _batch(call, lease, NOTHING, backlog=await call.queue.backlog(organisation))


async def _as_holder(call: Call, asked: PullRequest) -> Batch:
    hub, organisation = call.hub, call.agent.organisation
    ends = _ends(asked)
    await call.queue.settled(organisation, call.agent.id, settled=asked.settled, unsettled=asked.unsettled, now=hub.now())
    holds = True  # until the lease says otherwise
    renew, long = True, _clock() + UNHEARD
    goodbyes = hub.sightings.goodbyes(call.agent.id)
    while True:
        bell = hub.bells.hear(organisation, events=holds)
        try:
            call.check()
            if hub.sightings.goodbyes(call.agent.id) != goodbyes:  # it gave the lease back: this pull must not take it again
                lease = await call.queue.lease_of(organisation, now=hub.steady())
                return _batch(call, lease, NOTHING, backlog=await call.queue.backlog(organisation))
            lease = await _lease(call, asked, renew=renew or _clock() > long)
            renew = False
            if holds != (lease.agent == call.agent.id):
                holds = not holds
                continue  # to hear the other bell before looking
            batch = await _wait(call, asked, lease, bell, ends, holds=holds)
        finally:
            hub.bells.leave(organisation, bell)
        if batch is not None:
            return batch


async def _wait(
    call: Call, asked: PullRequest, lease: Lease, bell: asyncio.Future[None], ends: float, *, holds: bool
) -> Batch | None:
    """What to answer; None: look again."""
    hub, organisation = call.hub, call.agent.organisation
    if holds:
        hub.asks.pull_began(organisation)
    try:
        batch = await _look(call, asked, lease, ends) if holds else None
        left = ends - _clock()
        if batch is None and left > 0 and not hub.closing():
            seconds = min(left, max(1.0, lease.seconds - MARGIN if holds else lease.seconds))
            rang = await hub.bells.wait(bell, seconds, call.gone)
            if rang or not holds or seconds < left or seconds > UNHEARD:
                return None
            call.check()
            # Nothing came and nobody rang, so nobody else has the lease; events may have been acknowledged beside this wait.
            lease = replace(lease, seconds=lease.seconds - seconds, backlog=await call.queue.backlog(organisation))
        if batch is not None and asked.linger > 0 and not batch.asks and not batch.more:
            await asyncio.sleep(min(asked.linger, 1.0, max(0.0, left)))
            lease = replace(lease, backlog=await call.queue.backlog(organisation))
            batch = await _look(call, asked, lease, ends) or batch
    finally:
        if holds:
            hub.asks.pull_ended(organisation)
    return batch or _batch(call, lease, NOTHING, backlog=lease.backlog)


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _ends(asked: PullRequest) -> float:
    return _clock() + min(max(0.0, asked.wait), LONGEST_WAIT)


async def _lease(call: Call, asked: PullRequest, *, renew: bool) -> Lease:
    """The lease as it stands now. A lane that is behind what its agent has seen was restored from an older state.

    What comes for a pull that waits does not `renew` it: its agent may have died meanwhile, without a word.
    """
    hub, organisation, queue = call.hub, call.agent.organisation, call.queue
    lease = await queue.lease(organisation, call.agent.id, epoch=asked.epoch, now=hub.steady(), renew=renew)
    if lease.agent != call.agent.id or lease.incarnation != asked.incarnation:
        return lease
    if asked.seen >= lease.next_seq or not await queue.fits(
        organisation, call.agent.id, seen=asked.seen, seen_id=asked.seen_id
    ):
        await queue.reincarnate(organisation, hub.new_incarnation(), beyond=asked.seen, now=hub.now())
        lease = await queue.lease(organisation, call.agent.id, epoch=0, now=hub.steady())
    return lease


async def _look(call: Call, asked: PullRequest, lease: Lease, ends: float) -> Batch | None:
    """What is there now for the lease's holder; None: nothing, so that it is worth waiting."""
    organisation = call.agent.organisation
    new_lease = asked.epoch != lease.epoch or asked.incarnation != lease.incarnation
    after = lease.acknowledged if new_lease else max(asked.after, lease.acknowledged)
    backlog = lease.backlog
    found = NOTHING if asked.paused or not backlog.events else await _found(call, asked, after, backlog, ends)
    if new_lease and sum(len(message.data) for message in found.messages) > _LARGE:
        # Over a slow line they may take longer than a lease lasts, and only who knows its epoch can keep it meanwhile.
        call.held.release()
        found = replace(NOTHING, more=True)
    asks = call.hub.asks.fetch(organisation)
    if not (found.messages or asks or new_lease):
        return None
    batch = _batch(call, lease, found, backlog=backlog)
    return replace(
        batch, asks=asks, keys={**batch.keys, **call.hub.data_keys.wrapped(organisation, (ask.key_id for ask in asks))}
    )


async def _found(call: Call, asked: PullRequest, after: int, backlog: Backlog, ends: float) -> Pulled:
    """A part of the queue, once there is memory for it."""
    most = _between(asked.max_bytes, MOST_BYTES)
    if not await call.held.take(min(most, backlog.bytes), max(0.5, ends - _clock())):
        raise NotNow(503, problem("proxy_crowded"), retry_after=2)
    limit = _between(asked.limit, MOST_EVENTS)
    found = await call.queue.pull(call.agent.organisation, after=after, limit=limit, max_bytes=most)
    call.held.keep(sum(len(message.data) for message in found.messages))
    return found


def _between(asked: int, most: int) -> int:
    return max(1, min(asked, most))


def _batch(call: Call, lease: Lease, found: Pulled, *, backlog: Backlog) -> Batch:
    holds = lease.agent == call.agent.id
    directory = call.hub.directory()
    holder = directory.agents.get(lease.agent)
    return Batch(
        incarnation=lease.incarnation,
        epoch=lease.epoch if holds else 0,
        lease_seconds=lease.seconds,
        acknowledged=lease.acknowledged,
        messages=found.messages,
        keys=found.keys,
        backlog=backlog,
        more=found.more,
        holder="" if holds or holder is None else holder.name,
        declaration=call.organisation.declaration,
        notices=notices(backlog, call.hub.quota(call.agent.organisation)),
        gap=lease.gap,
    )
