from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchpoints.attempt import Blame, Delivered, Failed
from touchpoints.delivery import Delivery, DeliveryState
from touchpoints.moment import DAY, HOUR, MINUTE, SECOND, Micros
from touchpoints.retry import LONGEST_PROBE, Decision, Health, allowed, decide, observe
from touchpoints.touchpoint import STANDARD_SCHEDULE, Retry

NOW = 1_800_000_000 * SECOND
WELL = Health(destination=7)
DELIVERY = Delivery(id="d", event_id="e", touchpoint=1, destination=7, due_at=NOW - HOUR)
REFUSED = Failed(blame=Blame.DESTINATION, code="no_connection", error="No connection.")
WRONG = Failed(blame=Blame.EVENT, code="http_status", error="422", http_status=422)
GONE = Failed(blame=Blame.FINAL, code="gone", error="410", http_status=410)


def after(
    outcome: Delivered | Failed, *, tries: int = 0, attempts: int | None = None, health: Health = WELL, jitter: float = 0
) -> Decision:
    delivery = replace(DELIVERY, tries=tries, attempts=tries if attempts is None else attempts)
    return decide(outcome, delivery=delivery, retry=Retry(), health=health, now=NOW, jitter=jitter)


def failing(times: int, *, health: Health = WELL, now: Micros = NOW, failed: Failed = REFUSED) -> Health:
    for _ in range(times):
        health = observe(health, failed, now=max(now, health.probe_at), jitter=0)
    return health


def test_delivered_is_settled() -> None:
    """A delivered one is settled."""
    assert after(Delivered(http_status=200)).state is DeliveryState.DELIVERED


def test_failures_of_the_event_walk_the_schedule_and_are_given_up() -> None:
    """Each failure that the event is to blame for waits for its span and counts; after the last span it is given up."""
    for tries, span in enumerate(STANDARD_SCHEDULE):
        assert after(WRONG, tries=tries) == Decision(state=DeliveryState.PENDING, due_at=NOW + span, counts=True)
    assert after(WRONG, tries=len(STANDARD_SCHEDULE)) == Decision(state=DeliveryState.GIVEN_UP, counts=True)


def test_the_default_schedule_takes_about_three_days() -> None:
    """A person has about three days to mend what one event fails on."""
    assert 3 * DAY < sum(STANDARD_SCHEDULE) < 3.5 * DAY


@pytest.mark.parametrize(("jitter", "span"), [(-1, 4 * SECOND), (0, 5 * SECOND), (1, 6 * SECOND)])
def test_spans_are_spread_by_a_fifth(jitter: float, span: Micros) -> None:
    """Jitter moves a span by at most a fifth either way."""
    assert after(WRONG, jitter=jitter).due_at == NOW + span


def test_an_empty_schedule_tries_once() -> None:
    """Without a schedule the first failure of the event is the last."""
    decision = decide(WRONG, delivery=DELIVERY, retry=Retry(schedule=()), health=WELL, now=NOW, jitter=0)
    assert decision.state is DeliveryState.GIVEN_UP


def test_gone_gives_up_at_once() -> None:
    """410 is final, whatever is left of the schedule."""
    assert after(GONE).state is DeliveryState.GIVEN_UP


def test_failures_of_the_destination_never_count() -> None:
    """However often a destination is away, nothing is given up and no try is used."""
    decision = after(REFUSED, tries=len(STANDARD_SCHEDULE), attempts=5000)
    assert decision.state is DeliveryState.PENDING
    assert not decision.counts


def test_retry_after_only_lengthens() -> None:
    """Retry-After lengthens a wait, never shortens it, and not beyond a day."""
    for blame in (WRONG, replace(REFUSED, code="timeout")):
        assert after(replace(blame, retry_after=SECOND)).due_at == after(blame).due_at
        assert after(replace(blame, retry_after=HOUR)).due_at == NOW + HOUR
        assert after(replace(blame, retry_after=9 * DAY)).due_at == NOW + DAY
        assert after(replace(blame, retry_after=-HOUR)).due_at == after(blame).due_at


def test_an_outage_keeps_the_order_of_receipt() -> None:
    """A delivery that found the destination down keeps its due time, and with it its place."""
    down = failing(3)
    assert after(replace(REFUSED, retry_after=HOUR), health=down).due_at == DELIVERY.due_at
    assert after(REFUSED, health=failing(1)).due_at == DELIVERY.due_at


def test_a_poisonous_event_makes_way() -> None:
    """A delivery that times out, or that alone is turned away again and again, waits longer each time, up to 5 minutes."""
    slow = replace(REFUSED, code="timeout")
    waits = [after(slow, attempts=attempts, health=failing(3)).due_at - NOW for attempts in (0, 1, 2, 50)]
    assert waits == [5 * SECOND, 10 * SECOND, 20 * SECOND, 5 * MINUTE]
    assert after(REFUSED, attempts=2).due_at == NOW + 20 * SECOND


def test_three_failures_in_a_row_make_it_down() -> None:
    """Two failures are chance, three are an outage with a probe after 5 s."""
    assert failing(2).down_since is None
    down = failing(3)
    assert (down.down_since, down.probe_at, down.error_code, down.error) == (
        NOW,
        NOW + 5 * SECOND,
        "no_connection",
        REFUSED.error,
    )


@pytest.mark.parametrize("answer", [Delivered(http_status=204), Delivered(), WRONG, GONE])
def test_any_answer_ends_the_failures_in_a_row(answer: Delivered | Failed) -> None:
    """An answer, even one that refuses the event, proves the destination alive."""
    assert observe(failing(2), answer, now=NOW, jitter=0) == WELL
    assert observe(failing(5), answer, now=NOW, jitter=0).down_since is None


def test_what_was_never_sent_teaches_nothing() -> None:
    """A delivery refused by us, such as one that went in a circle, says nothing about the destination."""
    down = failing(3)
    assert observe(down, Failed(blame=Blame.FINAL, code="hop_limit", error=""), now=NOW, jitter=0) is down


def test_a_healthy_destination_stays_the_same_object() -> None:
    """Nothing is written when nothing changed."""
    assert observe(WELL, Delivered(), now=NOW, jitter=0) is WELL


def test_probes_grow_apart_to_five_minutes() -> None:
    """Probes wait 5 s, 10 s, 20 s … and at most 5 minutes, for four days and on."""
    gaps, health, now = [], failing(3), NOW
    for _ in range(1200):
        gaps.append(health.probe_at - now)
        now = health.probe_at
        health = observe(health, REFUSED, now=now, jitter=1)
    assert [round(gap / SECOND) for gap in gaps[:8]] == [5, 12, 24, 48, 96, 192, 300, 300]
    assert max(gaps) == LONGEST_PROBE
    assert health.down_since == NOW


def test_stragglers_do_not_lengthen_the_probe() -> None:
    """Sixteen attempts that were under way when it went down count as one failure; only Retry-After moves the probe."""
    down = failing(3)
    assert observe(down, REFUSED, now=NOW + SECOND, jitter=0) is down
    assert observe(down, replace(REFUSED, retry_after=HOUR), now=NOW + SECOND, jitter=0).probe_at == NOW + SECOND + HOUR


def test_retry_after_lengthens_the_probe() -> None:
    """A destination that says when it will be back is not probed before, but within a day."""
    for asked, waited in ((SECOND, 5 * SECOND), (HOUR, HOUR), (9 * DAY, DAY)):
        assert failing(3, failed=replace(REFUSED, retry_after=asked)).probe_at >= NOW + waited
    assert failing(2, failed=replace(REFUSED, retry_after=HOUR)).probe_at == 0


def test_one_at_a_time_while_down() -> None:
    """While down nothing goes until the probe is due, and then one."""
    down = failing(3)
    assert allowed(down, 16, now=NOW) == 0
    assert allowed(down, 16, now=down.probe_at) == 1
    assert allowed(WELL, 16, now=NOW) == 16


def test_recovery_doubles_with_each_round_of_successes() -> None:
    """After an outage concurrency grows 2, 4, 8, 16 as each round succeeds, and then the destination is as before."""
    health = observe(failing(3), Delivered(), now=NOW, jitter=0)
    rounds = []
    for _ in range(6):
        rounds.append(allowed(health, 1000, now=NOW))
        for _ in range(allowed(health, 1000, now=NOW)):
            health = observe(health, Delivered(), now=NOW, jitter=0)
    assert rounds == [2, 4, 8, 16, 32, 1000]
    assert health == WELL


def test_a_failure_while_it_recovers_slows_down() -> None:
    """A failure during recovery halves what goes at once; three bring the probe back."""
    health = Health(destination=7, ramp=8)
    assert allowed(failing(1, health=health), 16, now=NOW) == 4
    assert failing(3, health=health).down_since == NOW


OUTCOMES = st.sampled_from([Delivered(), WRONG, GONE, REFUSED, replace(REFUSED, code="timeout", retry_after=2 * DAY)])


@given(st.lists(st.tuples(OUTCOMES, st.floats(-1, 1), st.integers(0, HOUR)), max_size=40))
def test_any_history_leaves_a_probe_within_a_day(history: list[tuple[Delivered | Failed, float, int]]) -> None:
    """Whatever happens, deliveries are due and destinations tried again within a day, and only an answer ends an outage."""
    health, now, delivery = WELL, NOW, DELIVERY
    for outcome, jitter, passed in history:
        now += passed
        before, health = health, observe(health, outcome, now=now, jitter=jitter)
        decision = decide(outcome, delivery=delivery, retry=Retry(), health=health, now=now, jitter=jitter)
        assert decision.due_at <= now + 1.2 * DAY
        assert health.probe_at <= max(now + DAY, before.probe_at)
        assert (health.down_since is None) == (health.failures < 3)
        assert allowed(health, 4, now=health.probe_at) >= 1
        delivery = replace(delivery, attempts=delivery.attempts + 1, tries=delivery.tries + decision.counts)
