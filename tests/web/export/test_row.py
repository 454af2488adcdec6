"""Rows as cells, and cells made safe."""

import pytest

from tests.web.api.stand_in import SETTINGS, export_row
from web.export.names import names_of
from web.export.row import COLUMNS, Cell, cells, spreadsheet_safe


def test_the_columns_are_a_contract() -> None:
    """Their names and order, to which may only be appended."""
    assert ",".join(COLUMNS[:20]) == (
        "received_at,event_id,touchpoint,provider,event_type,reference,arrived_by,destination,delivery_id,run,delivery_state,"
        "attempt,attempted_at,duration_ms,outcome,http_status,error_code,error,next_attempt_at,body_bytes"
    )


def test_a_row_has_names_times_and_milliseconds() -> None:
    """Numbers become names, moments RFC 3339, the duration whole milliseconds."""
    row = dict(zip(COLUMNS, cells(export_row(3), names_of(SETTINGS)), strict=True))
    assert (row["touchpoint"], row["provider"], row["destination"]) == ("orders", "shopify", "erp")
    assert row["received_at"] == "2027-01-15T08:00:00.000003Z"
    assert row["duration_ms"] == 13
    assert row["next_attempt_at"] is None


def test_what_was_removed_keeps_a_name_of_a_kind() -> None:
    """A touchpoint nobody remembers is shown by its number, never mistaken for another."""
    row = dict(zip(COLUMNS, cells(export_row(1, touchpoint=9, destination=99), names_of(SETTINGS)), strict=True))
    assert (row["touchpoint"], row["provider"], row["destination"]) == ("#9", "", "#99")


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("a;=1", "a;'=1"),
        ("a\n @b\t-c;d", "a\n' @b\t'-c;d"),
        ("\x1b[2J\0\x9b", "\\x1b[2J\\x00\\x9b"),
        ("\ud800\uffff", "\\ud800\\uffff"),
        ("two\nlines", "two\nlines"),
        (-5, -5),
        (None, None),
        ("", ""),
    ],
)
def test_cells_are_harmless(cell: Cell, safe: Cell) -> None:
    """Formulas are neutralised and control characters spelled out; numbers stay numbers."""
    assert spreadsheet_safe(cell) == safe
