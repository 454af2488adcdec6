"""Tenants know nothing of each other: whatever one does, the other gets every answer as if it were alone."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.queue import Queue, Quota, QuotaReached
from store.sqlite.database import InlineDatabase
from tests.store.queue_kit import ACME, NOW, OTHER, kept, parcel, sqlite_place
from touchpoints.moment import MINUTE
from touchpoints.problem import ProblemError

DEEDS = ("put", "pull", "lease", "acknowledge", "release", "settled", "unsettled", "take_over", "seek", "restore", "erase")
Deed = tuple[int, str, int]  # organisation, what, and a number that it depends on
STEPS = st.lists(st.tuples(st.sampled_from((ACME, OTHER)), st.sampled_from(DEEDS), st.integers(0, 12)), max_size=60)


async def answer(queue: Queue, deed: Deed, now: int) -> object:
    """Everything that an organisation is told. Both use the same ids, agents' names and keys."""
    organisation, what, n = deed
    agent = ("a", "b")[n % 2]
    if what == "put":
        await queue.put_key(organisation, "key", bytes([organisation]), now=NOW)
        try:
            await queue.put(parcel(n, bytes([organisation]) * n, organisation=organisation), Quota(events=6, bytes=40))
        except QuotaReached:
            return "full"
        return "stored"
    if what == "pull":
        return await queue.pull(organisation, after=n - 3, limit=n, max_bytes=20), await queue.backlog(organisation)
    if what == "lease":
        return await queue.lease(organisation, agent, epoch=n // 4, now=now)
    if what == "acknowledge":
        name = (await queue.lease_of(organisation, now=now)).incarnation
        return await queue.acknowledge(organisation, agent, incarnation=name, epoch=n // 4, to=n, now=now, steady=now)
    if what == "take_over":
        try:
            return await queue.take_over(organisation, agent, now=now, steady=now)
        except ProblemError as error:
            return error.problems
    return await other_answer(queue, deed, agent, now)


async def other_answer(queue: Queue, deed: Deed, agent: str, now: int) -> object:
    """As `answer`, of the rest."""
    organisation, what, n = deed
    if what == "unsettled":
        return await queue.unsettled(organisation)
    if what == "seek":
        return await queue.seek(organisation, to=n, now=now)
    if what == "release":
        await queue.release(organisation, agent, epoch=n // 4)
    elif what == "settled":
        await queue.settled(organisation, agent, settled=n, unsettled=n, now=now)
    elif what == "restore":
        await queue.reincarnate(organisation, f"restored {n}", beyond=n, now=now)
    else:
        await queue.erase(organisation)
    return await kept(queue, organisation)


async def told(deeds: Sequence[Deed], to: int) -> list[object]:
    """What one organisation is told over all deeds, and what is kept of it in the end."""
    with tempfile.TemporaryDirectory() as folder:
        async with sqlite_place(Path(folder), InlineDatabase.open) as place:
            answers = []
            for deed in deeds:
                now = NOW + deed[2] * MINUTE // 4
                found = await answer(place.queue, deed, now)
                if deed[0] == to:
                    answers.append(found)
            return [*answers, await kept(place.queue, to), await place.queue.unsettled(to)]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(STEPS)
def test_nobody_notices_another(deeds: list[Deed]) -> None:
    """No id, no size, no number, no existence: the answers are those of a proxy of one's own."""
    alone = [deed for deed in deeds if deed[0] == ACME]
    assert asyncio.run(told(deeds, ACME)) == asyncio.run(told(alone, ACME))
