"""The export as an Excel workbook, in bounded memory; a sheet that is full is followed by another with its own header row."""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from web.export.row import COLUMNS, Cell, Cells, spreadsheet_safe

SHEET_ROWS = 1_048_576  # Excel's limit, header row included
_LONGEST_CELL = 32_767  # Excel's limit, in UTF-16 units
_TIMES = ("received_at", "attempted_at", "next_attempt_at")
_WIDTHS = {"event_id": 28, "delivery_id": 38, "error": 60} | dict.fromkeys(_TIMES, 28)


class XlsxWriter:
    """Writes rows to files in `spool` as they come; `finish` packs them into the binary file."""

    def __init__(self, file: BinaryIO, *, spool: Path, sheet_rows: int = SHEET_ROWS) -> None:
        import xlsxwriter  # type: ignore[import-untyped]  # it carries no types; imported late because it is slow to

        self._sheet_rows = sheet_rows
        self._book: Any = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "tmpdir": str(spool),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "use_zip64": True,
            },
        )
        self._bold = self._book.add_format({"bold": True})
        self._sheets = 0
        self._begin_sheet()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet: Any = self._book.add_worksheet("deliveries" if self._sheets == 1 else f"deliveries {self._sheets}")
        for number, column in enumerate(COLUMNS):
            self._sheet.set_column(number, number, _WIDTHS.get(column, 14))
        self._sheet.freeze_panes(1, 0)
        for number, column in enumerate(COLUMNS):
            self._sheet.write_string(0, number, column, self._bold)
        self._row = 1

    def write(self, rows: Iterable[Cells]) -> None:
        """Append rows."""
        for row in rows:
            if self._row == self._sheet_rows:
                self._begin_sheet()
            for number, cell in enumerate(row):
                self._write_cell(number, cell)
            self._row += 1

    def _write_cell(self, column: int, cell: Cell) -> None:
        if isinstance(cell, int):
            self._sheet.write_number(self._row, column, cell)
        elif safe := spreadsheet_safe(cell):
            self._sheet.write_string(self._row, column, _cut(str(safe)))

    def finish(self) -> None:
        """Pack the workbook; the file stays open and is the caller's again."""
        self._book.close()
        self._remove_spooled()

    def discard(self) -> None:
        """Remove what was spooled, without a workbook."""
        self._book.fileclosed = True
        self._remove_spooled()

    def _remove_spooled(self) -> None:
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()
            with contextlib.suppress(OSError):
                Path(sheet.row_data_filename).unlink(missing_ok=True)


def _cut(text: str) -> str:
    if len(text) * 2 <= _LONGEST_CELL:
        return text
    return text.encode("utf-16-le")[: _LONGEST_CELL * 2].decode("utf-16-le", "ignore")
