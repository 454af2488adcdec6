"""The rehearsal: a test event, signed the provider's way, received and verified for real, stopping before the outbox."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from appliance.clock import Clock
from store.actions import Actions
from store.inbox import Inbox
from store.log import Log, RecordedAttempt
from touchpoints.delivery import Delivery, DeliveryState, Job
from touchpoints.destinations.sender import Sender
from touchpoints.event import Arrival, ArrivedBy, Event, Verdict
from touchpoints.judge import request_of
from touchpoints.plan import replan, wants
from touchpoints.problem import ProblemError, problem
from touchpoints.receive import read_out
from touchpoints.request import Received, Refused, Request, Verified
from touchpoints.selector import Reading
from touchpoints.sign import sample, sign, signed_body, signed_url
from touchpoints.split import items_of
from touchpoints.touchpoint import Touchpoint
from web.listener.endpoint import Directory, Endpoint
from web.listener.judging import NO_KEY_SOURCE, KeySource, judge_by

Json = dict[str, Any]

# Longer than a destination's standard timeout.
PATIENCE = 35.0
KEY_PATIENCE = 5.0  # seconds that a rehearsal waits for published keys


class Rehearsal:
    """Plays test events through the real receive path."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        log: Log,
        actions: Actions,
        directory: Callable[[], Directory],
        sender: Callable[[int], Sender | None],
        url: Callable[[Touchpoint, Event], str],
        wake: Callable[[], None],
        clock: Clock,
        new_id: Callable[[int], str],
        published: KeySource = NO_KEY_SOURCE,
    ) -> None:
        """`url` gives the URL that an event's sender was given, without the query."""
        self._inbox = inbox
        self._log = log
        self._actions = actions
        self._directory = directory
        self._sender = sender
        self._url = url
        self._wake = wake
        self._clock = clock
        self._new_id = new_id
        self._published = published

    async def play(self, name: str, body: bytes | None, *, headers: Mapping[str, str], deliver: bool) -> Json:
        """The object of `touchpoint test --json`. Raises ProblemError(touchpoint_unknown)."""
        endpoint = self._directory().endpoints.get(name)
        if endpoint is None:
            raise ProblemError(problem("touchpoint_unknown", name=name[:80]))
        request = self._request(endpoint, body, headers)
        # A test comes from here: from where its senders may come is no part of it.
        received = await self._received(request, replace(endpoint.touchpoint, networks=(), client_certificates=()))
        if not isinstance(received, Verified):
            verdict, reason = ("refused", received.code) if isinstance(received, Refused) else ("answered", "")
            return {"event_id": None, "verdict": verdict, "reason": reason, "deliveries": []}
        first = _first(self._event(request, endpoint.touchpoint, received), request.body, endpoint.touchpoint)
        event = first.event
        await self._inbox.put(first)
        self._wake()
        jobs = self._jobs(event, first.body, endpoint.touchpoint)
        attempts = await self._deliver(event, jobs) if deliver else {}
        shown = [self._shown(job, endpoint.touchpoint, attempts.get(job.delivery.id)) for job in jobs]
        return {"event_id": event.id, "verdict": "accepted", "reason": "", "deliveries": shown}

    async def trial(self, name: str, event_id: str, *, secret: str = "") -> Json | None:
        """What a touchpoint would make of a stored event now; `secret` stands in for its own. Raises as `play` does."""
        endpoint = self._directory().endpoints.get(name)
        if endpoint is None:
            raise ProblemError(problem("touchpoint_unknown", name=name[:80]))
        timeline, body = await self._log.timeline(event_id), await self._log.body(event_id)
        if timeline is None or body is None:
            return None
        touchpoint, event = endpoint.touchpoint, timeline.listed.event
        if secret:
            touchpoint = replace(touchpoint, secrets=(secret,))
        item = timeline.listed.item_of is not None  # its request was verified as a whole
        request = request_of(event, body, self._url(touchpoint, event))
        received = read_out(Reading(request), touchpoint, event.hop) if item else await self._received(request, touchpoint)
        if not isinstance(received, Verified):
            verdict, reason = ("refused", received.code) if isinstance(received, Refused) else ("answered", "")
            return {"verdict": verdict, "reason": reason, "deliveries": []}
        event = replace(event, event_type=received.event_type, reference=received.reference, dedup_key=received.dedup_key)
        first = Arrival(event=event, body=body) if item else _first(event, body, touchpoint)
        jobs = self._jobs(first.event, first.body, touchpoint)
        return {
            "verdict": "accepted",
            "reason": "",
            "event_type": first.event.event_type,
            "reference": first.event.reference,
            "dedup_key": (first.event.dedup_key or "").partition(":")[2] or None,
            "wanted": wants(touchpoint, first.event.event_type),
            "deliveries": [self._shown(job, touchpoint, None) for job in jobs],
        }

    async def _received(self, request: Request, touchpoint: Touchpoint) -> Received:
        return (await judge_by(self._published, request, touchpoint, seconds=KEY_PATIENCE)).received

    def _request(self, endpoint: Endpoint, body: bytes | None, headers: Mapping[str, str]) -> Request:
        now, touchpoint = self._clock.now(), endpoint.touchpoint
        message_id = f"test_{self._new_id(now)}"
        plain = signed_body(touchpoint, sample(touchpoint) if body is None else body, now, message_id)
        given = tuple(
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers.items()
        )
        url = signed_url(touchpoint, endpoint.url)
        query = url.partition("?")[2]
        return Request(
            method="POST",
            target=f"/hooks/{touchpoint.name}" + (f"?{query}" if query else ""),
            headers=sign(touchpoint, plain, given, now, url, message_id),
            body=plain,
            remote="test",
            received_at=now,
            url=url,
        )

    def _event(self, request: Request, touchpoint: Touchpoint, verified: Verified) -> Event:
        return Event(
            id=self._new_id(request.received_at),
            touchpoint=touchpoint.id,
            received_at=request.received_at,
            arrived_by=ArrivedBy.DIRECT,
            verdict=Verdict.ACCEPTED,
            method=request.method,
            target=request.target,
            headers=request.headers,
            remote=request.remote,
            event_type=verified.event_type,
            reference=verified.reference,
            body_bytes=len(request.body),
            body_hash=hashlib.sha256(request.body).digest(),
            test=True,
        )

    def _jobs(self, event: Event, body: bytes, touchpoint: Touchpoint) -> list[Job]:
        planned: tuple[Delivery, ...] = replan(event, touchpoint, 1, self._clock.now())
        return [Job(seq=0, delivery=delivery, event=event, body=body) for delivery in planned]

    async def _deliver(self, event: Event, jobs: list[Job]) -> Mapping[str, RecordedAttempt]:
        """Send for real, through the outbox, and wait for the first attempt of each that is not on hold."""
        timeline = await self._log.timeline(event.id)
        if timeline is None:
            return {}
        now = self._clock.now()
        await self._actions.add_run(timeline.listed.seq, [replace(job.delivery, due_at=now) for job in jobs])
        self._wake()
        going = sum(self._goes(job.delivery) for job in jobs)
        made: Mapping[str, RecordedAttempt] = {}
        began = self._clock.steady()
        while self._clock.steady() - began < PATIENCE * 1_000_000:
            timeline = await self._log.timeline(event.id)
            made = {attempt.delivery_id: attempt for attempt in reversed(timeline.attempts)} if timeline else {}
            if len(made) >= going:
                return made
            await asyncio.sleep(0.05)
        return made

    def _goes(self, delivery: Delivery) -> bool:
        return delivery.state is DeliveryState.PENDING and self._sender(delivery.destination) is not None

    def _shown(self, job: Job, touchpoint: Touchpoint, attempt: RecordedAttempt | None) -> Json:
        destination = next(one for one in touchpoint.destinations if one.id == job.delivery.destination)
        shown: Json = {"destination": destination.name, "kind": destination.kind, "sent": attempt is not None}
        sender = self._sender(destination.id)
        if sender is not None:
            parcel = sender.preview(job, touchpoint=touchpoint.name)
            shown |= {
                "target": parcel.target,
                "method": parcel.method,
                "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in parcel.headers],
                "body_bytes": len(parcel.body),
            }
        if attempt is not None:
            shown |= {"outcome": attempt.outcome, "http_status": attempt.http_status, "error": attempt.error}
        return shown


def _first(event: Event, body: bytes, touchpoint: Touchpoint) -> Arrival:
    """What would go out first: of a body that is split, its first item."""
    items = items_of(event, body, touchpoint)
    return items[0] if items else Arrival(event=event, body=body)
