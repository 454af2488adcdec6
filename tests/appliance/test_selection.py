from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.selection import NAMES, STATES, select
from store.log import Filter
from store.settings import Configuration
from tests.appliance.stage import destination, touchpoint
from tests.store.make import NOW
from touchpoints.moment import DAY, HOUR, from_datetime
from touchpoints.problem import ProblemError

CONFIGURATION = Configuration(
    touchpoints=(
        touchpoint(1, [destination(1, name="erp"), destination(2, name="files")], name="orders", aliases=("old-orders",)),
        touchpoint(2, [destination(3, name="erp")], name="stock"),
    ),
    touchpoint_names={1: "orders", 2: "stock", 9: "gone"},
)


def _select(**names: str) -> Filter:
    return select(names, CONFIGURATION, now=NOW)


def _code(**names: str) -> str:
    with pytest.raises(ProblemError) as caught:
        _select(**names)
    assert len(str(caught.value)) < 600
    return caught.value.problems[0].code


def test_nothing_named_means_everything_but_tests() -> None:
    """Empty values are as good as none."""
    assert _select() == _select(id="", since="", state="", touchpoint="", tests="") == Filter()


def test_ids_are_divided_by_commas() -> None:
    """In whatever case and with whatever space somebody pasted them."""
    assert _select(id=" AB, cd ,,").ids == ("ab", "cd")


def test_times_are_moments_or_spans_before_now() -> None:
    """With a zone exactly that, without one this machine's, a span reckoned from now."""
    assert _select(since="36h", until="7d") == Filter(since=NOW - 36 * HOUR, until=NOW - 7 * DAY)
    assert _select(since="1970-01-02T00:00:00Z").since == DAY
    assert _select(since="1970-01-02T02:00:00+02:00").since == DAY
    assert _select(until="2026-05-01").until == from_datetime(datetime(2026, 5, 1).astimezone())


@pytest.mark.parametrize("text", ["yesterday", "7w", "99999999999999d", "-1h", "2026-13-01", "9" * 1000, "\x00"])
def test_a_time_that_cannot_be_read_is_told(text: str) -> None:
    """Whatever stands there."""
    assert _code(since=text) == "time_unreadable"


def test_touchpoints_by_name_alias_and_past_name() -> None:
    """A removed one can still be named; a stranger cannot."""
    assert _select(touchpoint="orders").touchpoint == _select(touchpoint="old-orders").touchpoint == 1
    assert _select(touchpoint="gone").touchpoint == 9
    assert _code(touchpoint="x" * 5000) == "touchpoint_unknown"


def test_destinations_by_name_within_their_touchpoint() -> None:
    """A name that two touchpoints have needs the touchpoint."""
    assert _select(destination="files").destination == 2
    assert _select(destination="erp", touchpoint="stock").destination == 3
    assert _code(destination="erp") == "destination_ambiguous"
    assert _code(destination="files", touchpoint="stock") == "destination_unknown"


def test_states_are_those_of_the_export() -> None:
    """Any other is told with those there are."""
    assert [_select(state=state).state for state in STATES] == list(STATES)
    assert _code(state="lost") == "state_unknown"


def test_unknown_names_are_all_told() -> None:
    """A mistyped filter must not mean everything."""
    with pytest.raises(ProblemError) as caught:
        select({"touchpiont": "orders", "stat": "held"}, CONFIGURATION, now=NOW)
    assert [problem.code for problem in caught.value.problems] == ["filter_unknown", "filter_unknown"]


def test_tests_are_left_out_unless_asked_for() -> None:
    """As in every statistic."""
    assert _select(tests="1").tests is _select(tests="True").tests is True
    assert _select(tests="0").tests is _select(tests="no").tests is False


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)))
def test_whatever_is_asked_is_a_filter_or_a_problem(names: dict[str, str]) -> None:
    """Nothing else ever comes out."""
    with suppress(ProblemError):
        assert isinstance(select(names, CONFIGURATION, now=NOW), Filter)
