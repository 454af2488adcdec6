"""One row of the delivery log as cells, and what makes a cell safe to open in a spreadsheet."""

import re

from store.log import ExportRow
from touchpoints.moment import Micros, rfc3339
from web.export.names import Names

Cell = str | int | None
Cells = tuple[Cell, ...]

# A contract: only ever appended to.
COLUMNS = (
    "received_at",
    "event_id",
    "touchpoint",
    "provider",
    "event_type",
    "reference",
    "arrived_by",
    "destination",
    "delivery_id",
    "run",
    "delivery_state",
    "attempt",
    "attempted_at",
    "duration_ms",
    "outcome",
    "http_status",
    "error_code",
    "error",
    "next_attempt_at",
    "body_bytes",
)

# Full-width forms count as well: some spreadsheets take them for the ASCII ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# In some countries a spreadsheet divides a CSV file at semicolons or tabs, whatever stands in quotes: a formula within.
_INNER_FORMULA = re.compile(r"(?<=[;\t\r\n])(?=\s*[=+\-@＝＋－＠])")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def cells(row: ExportRow, names: Names) -> Cells:
    """A row in the order of COLUMNS: times as RFC 3339 UTC, the duration in whole milliseconds, None where there is nothing."""
    return (
        rfc3339(row.received_at),
        row.event_id,
        names.touchpoint(row.touchpoint),
        names.provider(row.touchpoint),
        row.event_type,
        row.reference,
        row.arrived_by,
        None if row.destination is None else names.destination(row.destination),
        row.delivery_id,
        row.run,
        row.delivery_state,
        row.attempt,
        _time(row.attempted_at),
        None if row.duration is None else round(row.duration / 1000),
        row.outcome,
        row.http_status,
        row.error_code,
        row.error,
        _time(row.next_attempt_at),
        row.body_bytes,
    )


def spreadsheet_safe(cell: Cell) -> Cell:
    """A cell that no spreadsheet runs or chokes on: a `'` before formulas, control characters become `\\x1b`."""
    if not isinstance(cell, str):
        return cell
    text = _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), cell)
    text = _INNER_FORMULA.sub("'", text)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _time(moment: Micros | None) -> str | None:
    return None if moment is None else rfc3339(moment)
