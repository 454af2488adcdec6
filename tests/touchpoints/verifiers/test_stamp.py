"""The time of sending."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.touchpoints.factory import NOW
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.request import Refused
from touchpoints.verifiers.stamp import UNITS, fresh


@given(st.integers(0, 4_000_000_000))
def test_what_is_written_is_read(second: int) -> None:
    """In each unit, to the second."""
    for unit in UNITS.values():
        assert unit.read(unit.write(second * SECOND)) == second * SECOND


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"2021-03-25T05:09:27Z", 1_616_648_967 * SECOND),
        (b"2021-03-25T05:09:27.5Z", 1_616_648_967 * SECOND + 500_000),
        (b"2021-03-25T05:09:27.123456789Z", 1_616_648_967 * SECOND + 123_456),
        (b"2021-03-25T07:09:27+02:00", 1_616_648_967 * SECOND),
        (b"2021-03-24T23:39:27-05:30", 1_616_648_967 * SECOND),
        (b"2021-03-25T05:09:27", None),
        (b"2021-03-25 05:09:27Z", None),
        (b"2021-03-25T05:09:27z", None),
        (b"2021-13-25T05:09:27Z", None),
        (b"2021-02-30T05:09:27Z", None),
        (b"2021-03-25T05:09:27.Z", None),
        (b"2021-03-25T05:09:27+0200", None),
        (b"2021-03-25T05:09:27+99:00", None),
        (b"2021-W12-4T05:09:27Z", None),
        (b"0000-03-25T05:09:27Z", None),
        (b"2021-03-25T05:09:27Z\n", None),
        ("２０２１-03-25T05:09:27Z".encode(), None),
        (b"1616648967", None),
        (b"", None),
    ],
)
def test_iso_times_are_those_of_rfc_3339(text: bytes, moment: Micros | None) -> None:
    """With a zone, and nothing that only some readers take."""
    assert UNITS["iso"].read(text) == moment


@pytest.mark.parametrize("text", [b"", b"-1", b"1.5", b" 1", b"1e9", b"9" * 16, "٣".encode(), b"1\n"])
def test_numbers_are_plain_digits(text: bytes) -> None:
    """In seconds and milliseconds alike."""
    assert UNITS["s"].read(text) is None
    assert UNITS["ms"].read(text) is None


@given(st.binary(max_size=40))
def test_no_text_makes_reading_fail(text: bytes) -> None:
    """What is no time is none."""
    for unit in UNITS.values():
        unit.read(text)


@pytest.mark.parametrize(
    ("unit", "age", "code"),
    [
        ("s", 0, ""),
        ("s", 5 * MINUTE + SECOND, ""),
        ("s", 5 * MINUTE + SECOND + 1, "timestamp_stale"),
        ("ms", 5 * MINUTE + 1000, ""),
        ("ms", 5 * MINUTE + 1001, "timestamp_stale"),
        ("s", -5 * MINUTE, ""),
        ("s", -5 * MINUTE - 1, "timestamp_future"),
        ("iso", 5 * MINUTE + SECOND, ""),
        ("iso", -5 * MINUTE - 1, "timestamp_future"),
    ],
)
def test_a_time_is_fresh_within_the_tolerance_and_one_step(unit: str, age: Micros, code: str) -> None:
    """A sender that writes whole seconds may have sent almost one later."""
    found = fresh(NOW - age, UNITS[unit], 5 * MINUTE, NOW)

    assert found == (Refused(code=code) if code else None)
