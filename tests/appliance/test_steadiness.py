from hypothesis import given
from hypothesis import strategies as st

from appliance.steadiness import CALM_AFTER, JUMP, Steadiness
from touchpoints.moment import DAY, HOUR, SECOND


def test_a_start_counts_as_a_jump() -> None:
    """A machine may have started with a wrong date: it must prove itself for an hour."""
    steadiness = Steadiness(wall=0, steady=7)
    assert not steadiness.calm(steady=7 + HOUR - 1)
    assert steadiness.calm(steady=7 + HOUR)


def test_a_jump_is_told_once_and_ends_the_calm() -> None:
    """Backward or forward, by how much; then an hour passes anew."""
    steadiness = Steadiness(wall=0, steady=0)
    assert steadiness.observe(wall=2 * HOUR, steady=2 * HOUR) == 0
    assert steadiness.observe(wall=2 * HOUR - DAY, steady=2 * HOUR) == -DAY
    assert not steadiness.calm(steady=2 * HOUR)
    assert steadiness.observe(wall=2 * HOUR - DAY + SECOND, steady=2 * HOUR + SECOND) == 0
    assert not steadiness.calm(steady=3 * HOUR - 1)
    assert steadiness.calm(steady=3 * HOUR)
    assert steadiness.observe(wall=DAY, steady=3 * HOUR) > JUMP
    assert not steadiness.calm(steady=3 * HOUR)


def test_small_corrections_are_no_jump_but_add_up() -> None:
    """A clock that is slewed drifts unnoticed until it has parted by more than the limit."""
    steadiness = Steadiness(wall=0, steady=0)
    assert steadiness.observe(wall=3 * SECOND, steady=0) == 0
    assert steadiness.observe(wall=6 * SECOND, steady=0) == 6 * SECOND


@given(st.lists(st.integers(-DAY, DAY), max_size=30))
def test_calm_is_exactly_an_hour_without_a_jump(shifts: list[int]) -> None:
    """Whatever the wall clock does, calm tells how long ago the last told jump was."""
    steadiness, jumped = Steadiness(wall=0, steady=0), 0
    for minute, shift in enumerate(shifts, 1):
        steady = minute * 5 * 60 * SECOND
        if steadiness.observe(wall=steady + shift, steady=steady):
            jumped = steady
        assert steadiness.calm(steady=steady) == (steady - jumped >= CALM_AFTER)
