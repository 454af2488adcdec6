"""The intake: a request that was read becomes a stored event, a refusal, or an answer. A test event goes the same way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from store.inbox import Inbox, StoreUnavailable
from store.settings import Limits
from touchpoints.ack import ACKS
from touchpoints.event import Arrival, ArrivedBy, Event, Headers
from touchpoints.judge import event_of
from touchpoints.moment import Micros
from touchpoints.request import Answer, Refused, Request
from touchpoints.touchpoint import Touchpoint
from web.listener.budget import Budget
from web.listener.endpoint import Directory, Endpoint
from web.listener.judging import NO_KEY_SOURCE, UNAVAILABLE, KeySource, judge_by
from web.listener.proxies import TrustedProxies

# Does what an answer waits for, and gives the answer: the one it got, or why it cannot be given now.
Perform = Callable[[Touchpoint, Request, Answer], Awaitable[Answer]]


async def not_performed(_touchpoint: Touchpoint, _request: Request, answer: Answer) -> Answer:
    """Where nothing can be done: 503 for what waits for something."""
    return answer if not (answer.secret or answer.visit) else Answer(status=503, headers=((b"retry-after", b"30"),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What the public listener needs of the process."""

    directory: Callable[[], Directory]  # the current snapshot
    inbox: Callable[[], Inbox | None]  # None: the events file cannot be used now
    limits: Callable[[], Limits]
    trusted_proxies: Callable[[], TrustedProxies]
    budget: Budget
    now: Callable[[], Micros]
    new_id: Callable[[Micros], str]
    arrived: Callable[[], None]  # an event was committed: wake the drain
    refused: Callable[[Event, bytes], None]  # a refused request, to be counted and sampled
    migrating: Callable[[], bool] = lambda: False  # whether the events file is being brought up to date
    perform: Perform = not_performed
    published: KeySource = NO_KEY_SOURCE
    key_patience: float = 3.0  # seconds a request waits for published keys
    patience: float = 10.0  # seconds a body waits for its part of the budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of a request: what its sender is answered, and the event, where there is one."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    event: Event | None = None


async def intake(deps: Intake, request: Request, endpoint: Endpoint, *, test: bool = False) -> Taken:
    """Verify a request and store it. Returns 200 only after the commit; never raises for what a sender or a store did."""
    touchpoint = endpoint.touchpoint
    judged = await judge_by(deps.published, request, touchpoint, seconds=deps.key_patience)
    received = judged.received
    if isinstance(received, Answer):
        return answered(await deps.perform(touchpoint, request, received))
    if received == Refused(code="method_wrong"):
        return await wrong_method(deps, request, touchpoint)
    new_id = deps.new_id(request.received_at)
    event = event_of(new_id, request, touchpoint.id, judged, arrived_by=ArrivedBy.DIRECT, test=test)
    if isinstance(received, Refused):
        deps.refused(event, request.body)
        # A key that cannot be had now says nothing about the sender, who may try again.
        return _unavailable(30) if received.code == UNAVAILABLE else Taken(status=401, event=event)
    inbox = deps.inbox()
    if inbox is None:
        return _unavailable(30)
    try:
        await inbox.put(Arrival(event=event, body=request.body))
    except StoreUnavailable as unavailable:
        return _unavailable(unavailable.retry_after)
    deps.arrived()
    ack = ACKS[touchpoint.ack]
    return Taken(status=ack.status, headers=ack.headers, body=ack.body, event=event)


async def wrong_method(deps: Intake, request: Request, touchpoint: Touchpoint) -> Taken:
    """405; whoever waits for the touchpoint's first event is told."""
    refusal = not_allowed(touchpoint.methods)
    return answered(await deps.perform(touchpoint, request, Answer(status=refusal.status, headers=refusal.headers)))


def answered(answer: Answer) -> Taken:
    """What the sender of a handshake gets."""
    return Taken(status=answer.status, headers=answer.headers, body=answer.body)


def not_allowed(methods: tuple[str, ...]) -> Taken:
    """405, with what is allowed."""
    return Taken(status=405, headers=((b"allow", ", ".join(methods).encode("ascii")),))


def _unavailable(retry_after: int) -> Taken:
    return Taken(status=503, headers=((b"retry-after", str(retry_after).encode()),))
