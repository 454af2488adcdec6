"""No request takes a verifier more than linear time: four times as long, it takes at most four times the steps.

Steps are counted, not timed; what a library does in C is timed by `build.py bench verification`.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.touchpoints.verifiers.hostile import PLACES, SHAPES, right, stretched
from touchpoints.provider import providers
from touchpoints.receive import receive

SHORT = 3000  # bytes
FREE = 2000  # steps that do not grow, such as what is looked at only from a length on

NAMES = [name for name in providers() if providers()[name].verify]
RIGHT = {name: right(name) for name in NAMES}


def steps(work: Callable[[], object]) -> int:
    """How many lines of Python it runs."""
    count = 0

    def each(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return each

    before = sys.gettrace()
    sys.settrace(each)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@given(
    st.sampled_from(NAMES),
    st.sampled_from(PLACES),
    st.sampled_from(SHAPES) | st.tuples(st.binary(max_size=8), st.binary(min_size=1, max_size=8), st.binary(max_size=8)),
)
@settings(max_examples=600, deadline=None)
def test_four_times_the_length_takes_four_times_the_steps(name: str, place: str, shape: tuple[bytes, bytes, bytes]) -> None:
    """Whatever is repeated, and wherever it stands: in the body, in the headers, in their number or in the address."""
    touchpoint, request = RIGHT[name]
    short, long = (stretched(request, place, shape, size) for size in (SHORT, 4 * SHORT))
    receive(short, touchpoint)  # selectors and templates are compiled once

    assert steps(lambda: receive(long, touchpoint)) <= 4 * steps(lambda: receive(short, touchpoint)) + FREE


def test_steps_that_grow_faster_are_found() -> None:
    """A loop within a loop would not pass."""

    def pairs(size: int) -> int:
        found = 0
        for _ in range(size):
            for _ in range(size):
                found += 1
        return found

    assert steps(lambda: pairs(400)) > 4 * steps(lambda: pairs(100)) + FREE
