"""What is shown in a terminal never acts on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.command.terminal import safe, safe_lines, show_table


@given(st.text())
def test_nothing_that_acts_gets_through(text: str) -> None:
    """Whatever the text, what is shown is printable, on one line, and can be encoded."""
    shown = safe(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in shown)
    shown.encode()


def test_plain_text_is_left_alone() -> None:
    """Letters of every language stay readable."""
    assert safe("Grüße, 注文 #1042 😀") == "Grüße, 注文 #1042 😀"
    assert safe_lines("a\r\nb\x1b\n") == "a\nb\\x1b"


def test_columns_are_as_wide_as_they_must_be(capsys: pytest.CaptureFixture[str]) -> None:
    """Also without any row."""
    show_table(("A", "B"), [("long one", None), ("x", 2)])
    show_table(("A", "B"), [])
    assert capsys.readouterr().out == "A         B\nlong one\nx         2\nA  B\n"
