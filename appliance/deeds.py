"""Deeds: what a person does to events and deliveries, by one name each; those that plan anew are decided here."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from appliance.key_patience import KeyPatience
from store.actions import Actions, Done
from store.log import Filter
from touchpoints.delivery import Delivery, DeliveryState
from touchpoints.event import Event, Verdict
from touchpoints.judge import request_of
from touchpoints.moment import Micros
from touchpoints.plan import replan
from touchpoints.problem import ProblemError, problem
from touchpoints.request import Answer, Verified
from touchpoints.touchpoint import Touchpoint
from web.listener.intake import Perform, not_performed
from web.listener.judging import NO_KEY_SOURCE, KeySource, judge_by

PAGE = 500
IDS_TOLD = 100
KEY_PATIENCE = 10.0  # seconds that verifying again waits for published keys in all

Simple = Callable[..., Awaitable[Done]]


class Deeds:
    """Every action by its name."""

    def __init__(
        self,
        *,
        actions: Actions,
        touchpoints: Callable[[], Mapping[int, Touchpoint]],
        url: Callable[[Touchpoint, Event], str],
        now: Callable[[], Micros],
        perform: Perform = not_performed,
        published: KeySource = NO_KEY_SOURCE,
        between: asyncio.Lock | None = None,
    ) -> None:
        """`url` gives the URL that an event's sender was given, without the query.

        `between`: who has it knows that nothing is being planned by a configuration that may no longer be.
        """
        self._actions = actions
        self._touchpoints = touchpoints
        self._url = url
        self._now = now
        self._perform = perform
        self._published = published
        self._between = between or asyncio.Lock()
        self._simple: Mapping[str, Simple] = {
            "hold": actions.hold,
            "release": actions.release,
            "retry": actions.retry_now,
            "give_up": actions.give_up,
            "dismiss": actions.dismiss,
        }
        self._planning = {"replay": self._replay, "verify": self._verify, "run_duplicate": self._run_duplicate}

    async def do(self, action: str, which: Filter, *, dry_run: bool) -> Done:
        """Do it to all that the filter names. Raises ProblemError(action_unknown)."""
        if simple := self._simple.get(action):
            return await self._all(simple, which, dry_run=dry_run)
        if planning := self._planning.get(action):
            return await planning(which, dry_run=dry_run)
        names = ", ".join(sorted([*self._simple, *self._planning]))
        raise ProblemError(problem("action_unknown", path="action", action=action[:40], actions=names))

    async def _all(self, simple: Simple, which: Filter, *, dry_run: bool) -> Done:
        """Repeat a bounded call until nothing more is matched."""
        done = await simple(which, now=self._now(), dry_run=dry_run)
        last = done
        while last.more and last.changed and not dry_run:
            last = await simple(which, now=self._now(), dry_run=False)
            done = _sum(done, last)
        return done

    async def _replay(self, which: Filter, *, dry_run: bool) -> Done:
        """A new run of events that were verified; a refused one must be verified, a duplicate run on purpose."""
        return await self._run_again(which, (Verdict.ACCEPTED, Verdict.FILTERED), dry_run=dry_run)

    async def _run_duplicate(self, which: Filter, *, dry_run: bool) -> Done:
        return await self._run_again(which, (Verdict.DUPLICATE,), dry_run=dry_run)

    async def _run_again(self, which: Filter, verdicts: Collection[Verdict], *, dry_run: bool) -> Done:
        if dry_run:
            return await self._count_runs(which, verdicts)
        tally = _Tally()
        after = 0
        while page := await self._actions.replayable(which, limit=PAGE, after=after):
            for seq, event, old in page:
                after = seq
                if event.verdict in verdicts and await self._run_one(which, seq, event, old):
                    tally.change(event)
                else:
                    tally.skip()
        return tally.done()

    async def _run_one(self, which: Filter, seq: int, event: Event, old: Sequence[Delivery]) -> bool:
        """Whether its touchpoint exists, and it runs anew."""
        async with self._between:  # else it might be kept back for a touchpoint that is taken off hold meanwhile
            touchpoint = self._touchpoints().get(event.touchpoint)
            if touchpoint is None:
                return False
            run = max((delivery.run for delivery in old), default=0) + 1
            deliveries = _only(which, replan(event, touchpoint, run, self._now()))
            await self._actions.add_run(seq, deliveries)
        await self._settle_given_up(old, {delivery.destination for delivery in deliveries})
        return True

    async def _count_runs(self, which: Filter, verdicts: Collection[Verdict]) -> Done:
        """What a person is shown first; counted, because there may be a million."""
        known = self._touchpoints()
        counts = await self._actions.count_replayable(which)
        changed = sum(n for (touchpoint, verdict), n in counts.items() if touchpoint in known and verdict in verdicts)
        first = await self._actions.replayable(which, limit=PAGE) if changed else ()
        ids = [event.id for _, event, _ in first if event.touchpoint in known and event.verdict in verdicts]
        matched = sum(counts.values())
        return Done(matched=matched, changed=changed, skipped=matched - changed, ids=tuple(ids[:IDS_TOLD]))

    async def _settle_given_up(self, old: Iterable[Delivery], rerun: Collection[int]) -> None:
        """What was given up and now runs again waits for nobody any more."""
        given_up = tuple(one.id for one in old if one.state is DeliveryState.GIVEN_UP and one.destination in rerun)
        if given_up:
            await self._actions.dismiss(Filter(ids=given_up), now=self._now(), dry_run=False)

    async def _verify(self, which: Filter, *, dry_run: bool) -> Done:
        """Judge refused events again by today's secrets, and by the time they were received."""
        tally, patience = _Tally(), KeyPatience(KEY_PATIENCE)
        after = 0
        while page := await self._actions.refused(which, limit=PAGE, after=after):
            for seq, event, body in page:
                after = seq
                touchpoint = self._touchpoints().get(event.touchpoint)
                if touchpoint and await self._verify_one(seq, event, body, touchpoint, patience, dry_run=dry_run):
                    tally.change(event)
                else:
                    tally.skip()
        return tally.done()

    async def _verify_one(
        self, seq: int, event: Event, body: bytes, touchpoint: Touchpoint, patience: KeyPatience, *, dry_run: bool
    ) -> bool:
        """Whether a refused event is one no more, or would be."""
        request = request_of(event, body, self._url(touchpoint, event))
        received = (await judge_by(self._published, request, touchpoint, seconds=patience.left)).received
        if isinstance(received, Verified):
            if not dry_run:
                await self._actions.accept(seq, _accepted(event, received))
            return True
        if not isinstance(received, Answer) or not received.visit:
            return False
        if dry_run:
            return True
        done = await self._perform(touchpoint, request, received)
        if done.status < 400:  # confirmed now: nobody needs to be told of it any more
            await self._actions.dismiss(Filter(ids=(event.id,)), now=self._now(), dry_run=False)
        return done.status < 400


class _Tally:
    def __init__(self) -> None:
        self._changed = 0
        self._skipped = 0
        self._ids: list[str] = []

    def change(self, event: Event) -> None:
        self._changed += 1
        if len(self._ids) < IDS_TOLD:
            self._ids.append(event.id)

    def skip(self) -> None:
        self._skipped += 1

    def done(self) -> Done:
        matched = self._changed + self._skipped
        return Done(matched=matched, changed=self._changed, skipped=self._skipped, ids=tuple(self._ids))


def _sum(first: Done, second: Done) -> Done:
    changed = first.changed + second.changed
    matched = max(first.matched, changed)
    return Done(matched=matched, changed=changed, skipped=matched - changed, ids=(first.ids + second.ids)[:IDS_TOLD])


def _accepted(event: Event, verified: Verified) -> Event:
    return replace(
        event,
        verdict=Verdict.ACCEPTED,
        reason="",
        event_type=verified.event_type,
        dedup_key=verified.dedup_key,
        reference=verified.reference,
        id_signed=verified.id_signed,
        hop=verified.hop,
    )


def _only(which: Filter, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """A replay to one destination runs only there."""
    return [one for one in deliveries if which.destination in (None, one.destination)]
