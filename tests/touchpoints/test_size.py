"""Sizes in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchpoints.size import format_size, parse_size, rough_size


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("25MiB", 25 * 2**20),
        ("1GiB", 2**30),
        ("10kB", 10_000),
        ("10 KB", 10_000),
        ("7", 7),
        (0, 0),
        (123, 123),
        ("0", 0),
        ("5b", 5),
    ],
)
def test_a_size_is_read(value: int | str, size: int) -> None:
    """A whole number, with a unit or without."""
    assert parse_size(value) == size


@pytest.mark.parametrize(
    "value", ["", "MiB", "-1", -1, "1.5GiB", "1 XB", "1e3", "٣", True, "9" * 400, "999999999999999TiB", "1iB"]
)
def test_what_is_no_size_is_refused_in_words(value: int | str) -> None:
    """The error quotes what was written, in part."""
    with pytest.raises(ValueError, match=r"^\"") as caught:
        parse_size(value)
    assert len(str(caught.value)) < 200


@given(st.integers(0, 2**60))
def test_a_formatted_size_is_read_back(size: int) -> None:
    """Formatting is exact."""
    assert parse_size(format_size(size)) == size


def test_the_shortest_way_is_written() -> None:
    """Powers of two and of ten each get their unit."""
    assert [format_size(25 * 2**20), format_size(2**30), format_size(10_000), format_size(0)] == ["25MiB", "1GiB", "10kB", "0"]


@pytest.mark.parametrize(
    ("size", "down", "up"),
    [
        (0, "0B", "0B"),
        (1023, "1023B", "1023B"),
        (1024, "1KiB", "1KiB"),
        (315_525_198, "300MiB", "301MiB"),
        (2**20 + 1, "1MiB", "1.1MiB"),
        (10 * 2**30 - 1, "9.9GiB", "10GiB"),
        (3 * 2**50, "3072TiB", "3072TiB"),
    ],
)
def test_a_measured_size_is_rounded(size: int, down: str, up: str) -> None:
    """What is free is never told as more than it is, and what is needed never as less."""
    assert (rough_size(size), rough_size(size, up=True)) == (down, up)
