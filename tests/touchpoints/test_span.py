"""Spans of time in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchpoints.moment import DAY, HOUR, MINUTE, SECOND
from touchpoints.span import format_span, parse_span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0s", 0),
        ("500ms", 500_000),
        ("1s", SECOND),
        ("5m", 5 * MINUTE),
        ("36h", 36 * HOUR),
        ("7d", 7 * DAY),
        ("90s", 90 * SECOND),
    ],
)
def test_a_span_is_read(text: str, span: int) -> None:
    """A whole number and a unit."""
    assert parse_span(text) == span


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-1s", "+1s", "1.5h", "1 h", "1H", "1w", "٣s", "1s\n", "1e3s", "9" * 400 + "s", "36501d"]
)
def test_what_is_no_span_is_refused_in_words(text: str) -> None:
    """The error quotes what was written, in part."""
    with pytest.raises(ValueError, match=r"^\"") as caught:
        parse_span(text)
    assert len(str(caught.value)) < 200


@given(st.integers(0, 36500 * DAY // 1000))
def test_a_formatted_span_is_read_back(milliseconds: int) -> None:
    """Formatting loses nothing above a millisecond."""
    assert parse_span(format_span(milliseconds * 1000)) == milliseconds * 1000


def test_the_largest_whole_unit_is_written() -> None:
    """36 hours stay hours, 48 become days."""
    assert [format_span(36 * HOUR), format_span(48 * HOUR), format_span(90 * SECOND), format_span(999)] == [
        "36h",
        "2d",
        "90s",
        "0s",
    ]
