"""Writing the three formats."""

import csv
import io
import json
import tracemalloc
from pathlib import Path

import openpyxl
import pytest

from tests.web.api.stand_in import SETTINGS, export_row
from web.export.csv import CsvWriter
from web.export.formats import Format, make_writer
from web.export.names import names_of
from web.export.row import COLUMNS, Cells, cells
from web.export.xlsx import XlsxWriter

NAMES = names_of(SETTINGS)
HOSTILE = export_row(1, event_type='=HYPERLINK("http://evil")', reference='a"b,\r\nc', error="\x1b[31m" + "é😀" * 20_000)


def rows(count: int) -> list[Cells]:
    return [cells(export_row(number), NAMES) for number in range(1, count + 1)]


def sheets(file: io.BytesIO) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(file.getvalue()))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def test_csv_is_read_back_as_it_was(tmp_path: Path) -> None:
    """Quotes, commas and line ends survive; a formula is text; the file is UTF-8 with CRLF and no mark."""
    file = io.BytesIO()
    writer = make_writer("csv", file, spool=tmp_path)
    writer.write([cells(HOSTILE, NAMES)])
    writer.finish()
    assert file.getvalue().startswith(b"received_at,event_id,")
    (row,) = csv.DictReader(io.StringIO(file.getvalue().decode(), newline=""))
    assert row["event_type"] == '\'=HYPERLINK("http://evil")'
    assert row["reference"] == 'a"b,\r\nc'
    assert row["error"].startswith("\\x1b[31mé😀")
    assert row["next_attempt_at"] == ""


def test_json_lines_hold_values_as_they_are(tmp_path: Path) -> None:
    """Nothing is neutralised or cut; the line itself is ASCII, so a terminal shows it harmlessly."""
    file = io.BytesIO()
    writer = make_writer("jsonl", file, spool=tmp_path)
    writer.write([cells(HOSTILE, NAMES)])
    writer.finish()
    assert file.getvalue().isascii()
    assert b"\x1b" not in file.getvalue()
    row = json.loads(file.getvalue())
    assert tuple(row) == COLUMNS
    assert row["event_type"] == HOSTILE.event_type
    assert row["error"] == HOSTILE.error
    assert row["next_attempt_at"] is None


def test_a_workbook_holds_text_not_formulas(tmp_path: Path) -> None:
    """Excel's limits and XML's are kept, formulas are text, numbers are numbers, nothing stays in the spool folder."""
    file = io.BytesIO()
    writer = make_writer("xlsx", file, spool=tmp_path)
    writer.write([cells(HOSTILE, NAMES)])
    writer.finish()
    header, row = sheets(file)["deliveries"]
    assert header == COLUMNS
    found = dict(zip(COLUMNS, row, strict=True))
    assert found["event_type"] == '\'=HYPERLINK("http://evil")'
    assert found["http_status"] == 200
    error = found["error"]
    assert isinstance(error, str)
    assert error.startswith("\\x1b[31mé😀")
    assert len(error.encode("utf-16-le")) // 2 <= 32_767
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("count", [0, 9, 10, 27])
def test_a_full_sheet_is_followed_by_another(tmp_path: Path, count: int) -> None:
    """Each sheet has the header and at most the limit's rows; together they hold every row once."""
    file = io.BytesIO()
    writer = XlsxWriter(file, spool=tmp_path, sheet_rows=10)
    writer.write(rows(count))
    writer.finish()
    found = sheets(file)
    assert all(sheet[0] == COLUMNS and len(sheet) <= 10 for sheet in found.values())
    assert [row[1] for sheet in found.values() for row in sheet[1:]] == [row[1] for row in rows(count)]
    assert len(found) == max(1, -(-count // 9))


def test_a_discarded_workbook_leaves_nothing(tmp_path: Path) -> None:
    """What was spooled is removed, and no handle is left open."""
    writer = XlsxWriter(io.BytesIO(), spool=tmp_path, sheet_rows=10)
    writer.write(rows(25))
    assert len(list(tmp_path.iterdir())) == 3
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_discarded_csv_leaves_the_file_open() -> None:
    """The file is its opener's."""
    file = io.BytesIO()
    CsvWriter(file).discard()
    assert not file.closed


@pytest.mark.parametrize(("name", "pages"), [("csv", 150), ("jsonl", 150), ("xlsx", 30)])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, name: Format, pages: int) -> None:
    """Thousands of rows take less memory than the rows themselves would."""
    page = rows(200)
    with (tmp_path / "out").open("wb") as file:
        writer = make_writer(name, file, spool=tmp_path)
        tracemalloc.start()
        try:
            for _ in range(pages):
                writer.write(page)
            writer.finish()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
