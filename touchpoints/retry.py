"""What follows from an attempt: the delivery's next state, and what is known of the destination's health. Pure."""

from dataclasses import dataclass, replace

from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.delivery import Delivery, DeliveryState
from touchpoints.moment import DAY, MINUTE, SECOND, Micros
from touchpoints.touchpoint import Retry

DOWN_AFTER = 3  # failures in a row that speak of the destination
FIRST_PROBE = 5 * SECOND
LONGEST_PROBE = 5 * MINUTE
PROBE_SPREAD = 0.2
LONGEST_ASKED = DAY  # of Retry-After
RAMP_END = 64

# Failures an event cannot cause by itself, so that a delivery need not make way for the others to find out. A timeout or a
# dropped connection may be the doing of one poisonous event.
_NOT_THE_EVENTS_DOING = frozenset(
    {"no_connection", "no_handles", "tls_error", "proxy_error", "unavailable", "folder_full", "folder_missing", "folder_denied"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is known of a destination, kept over restarts."""

    destination: int
    failures: int = 0  # failures in a row that speak of the destination
    down_since: Micros | None = None
    probe_at: Micros = 0  # when down: the next probe
    error_code: str = ""
    error: str = ""
    ramp: int = 0  # while it recovers: how many attempts at once; 0: as many as the destination's concurrency


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A delivery's next state."""

    state: DeliveryState
    due_at: Micros = 0  # when pending: the next attempt
    counts: bool = False  # against the retry schedule


def observe(health: Health, outcome: Outcome, *, now: Micros, jitter: float) -> Health:
    """What an attempt teaches about its destination; the very same object when nothing changed. `jitter` is within -1 and 1."""
    if isinstance(outcome, Failed):
        if outcome.blame is Blame.DESTINATION:
            return _after_failure(health, outcome, now, jitter)
        if outcome.http_status is None:
            return health  # it was never asked
    return _after_answer(health)


def _after_answer(health: Health) -> Health:
    if health.down_since is not None:
        return Health(destination=health.destination, ramp=2)
    if health.ramp:
        ramp = health.ramp + 1 if health.ramp + 1 < RAMP_END else 0
        return Health(destination=health.destination, ramp=ramp)
    return Health(destination=health.destination) if health.failures else health


def _after_failure(health: Health, failed: Failed, now: Micros, jitter: float) -> Health:
    asked = now + _asked(failed)
    if health.down_since is not None and now < health.probe_at:
        # An attempt that began before the destination was known to be down says nothing new.
        return replace(health, probe_at=asked) if asked > health.probe_at else health
    seen = replace(health, failures=health.failures + 1, error_code=failed.code, error=failed.error)
    if seen.failures < DOWN_AFTER:
        return replace(seen, ramp=max(1, health.ramp // 2) if health.ramp else 0)
    wait = min(_spread(_growing(seen.failures - DOWN_AFTER), PROBE_SPREAD, jitter), LONGEST_PROBE)
    return replace(
        seen,
        down_since=now if health.down_since is None else health.down_since,
        probe_at=max(now + wait, asked),
        ramp=0,
    )


def allowed(health: Health, concurrency: int, *, now: Micros) -> int:
    """How many attempts may be under way at once: none while down, one when a probe is due, a growing number after."""
    if health.down_since is not None:
        return 1 if now >= health.probe_at else 0
    return min(concurrency, health.ramp) if health.ramp else concurrency


def decide(outcome: Outcome, *, delivery: Delivery, retry: Retry, health: Health, now: Micros, jitter: float) -> Decision:
    """The delivery's next state after an attempt.

    `delivery` is as it was claimed, before this attempt is counted; `health` is what `observe` returned for this outcome;
    `jitter` is within -1 and 1.
    """
    if isinstance(outcome, Delivered):
        return Decision(state=DeliveryState.DELIVERED)
    if outcome.blame is Blame.DESTINATION:
        return Decision(state=DeliveryState.PENDING, due_at=_due_after_outage(outcome, delivery, health, retry, now, jitter))
    if outcome.blame is Blame.FINAL or delivery.tries >= len(retry.schedule):
        return Decision(state=DeliveryState.GIVEN_UP, counts=True)
    wait = _spread(retry.schedule[delivery.tries], retry.spread, jitter)
    return Decision(state=DeliveryState.PENDING, due_at=now + max(wait, _asked(outcome)), counts=True)


def _due_after_outage(failed: Failed, delivery: Delivery, health: Health, retry: Retry, now: Micros, jitter: float) -> Micros:
    """Keeps the delivery's place in the order of receipt where that can neither block the others nor hammer the destination."""
    blamed_before = delivery.attempts - delivery.tries
    if failed.code in _NOT_THE_EVENTS_DOING:
        if health.down_since is not None:
            return delivery.due_at  # health.probe_at holds it back
        if blamed_before < DOWN_AFTER - 1 and not _asked(failed):
            return delivery.due_at
    return now + max(_spread(_growing(blamed_before), retry.spread, jitter), _asked(failed))


def _growing(step: int) -> Micros:
    """5 s, 10 s, 20 s … at most 5 minutes."""
    return min(FIRST_PROBE << min(max(step, 0), 16), LONGEST_PROBE)


def _spread(span: Micros, part: float, jitter: float) -> Micros:
    return round(span * (1 + part * jitter))


def _asked(failed: Failed) -> Micros:
    return min(max(failed.retry_after or 0, 0), LONGEST_ASKED)
