import string

from hypothesis import given
from hypothesis import strategies as st

from appliance.ids import new_id
from touchpoints.moment import DAY

MOMENTS = st.integers(0, 365 * 300 * DAY)


@given(MOMENTS, MOMENTS)
def test_ids_sort_by_time(one: int, other: int) -> None:
    """To the millisecond."""
    if one // 1000 < other // 1000:
        assert new_id(one) < new_id(other)


@given(MOMENTS)
def test_an_id_has_26_letters_and_digits(moment: int) -> None:
    """They can stand in a URL and in a file name."""
    made = new_id(moment)
    assert len(made) == 26
    assert set(made) <= set(string.ascii_lowercase + string.digits)


def test_ids_of_the_same_moment_differ() -> None:
    """Also many in one millisecond."""
    assert len({new_id(1_800_000_000_000_000) for _ in range(10_000)}) == 10_000
