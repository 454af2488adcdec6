from touchpoints.moment import SECOND
from web.listener.rate import Rate


def test_average_and_burst() -> None:
    """One burst of a second's worth, then the average; each touchpoint for itself."""
    rate = Rate()
    assert [rate.allow(1, 3, 0) for _ in range(4)] == [True, True, True, False]
    assert rate.allow(2, 3, 0)
    assert [rate.allow(1, 3, SECOND // 2) for _ in range(2)] == [True, False]


def test_clock_set_back() -> None:
    """A clock that is set back neither opens nor shuts the gate for long."""
    rate = Rate()
    assert [rate.allow(1, 1, 100 * SECOND) for _ in range(2)] == [True, False]
    assert not rate.allow(1, 1, 0)
    assert rate.allow(1, 1, SECOND)
