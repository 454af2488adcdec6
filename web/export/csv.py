"""The export as CSV: RFC 4180 with CRLF, UTF-8 without a byte order mark, formulas neutralised.

A mark would become part of the first column's name in every script that reads the file; who opens it in Excel takes XLSX.
"""

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from web.export.row import COLUMNS, Cells, spreadsheet_safe


class CsvWriter:
    """Writes rows to a binary file as they come."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._csv = csv.writer(self._text)
        self._csv.writerow(COLUMNS)

    def write(self, rows: Iterable[Cells]) -> None:
        """Append rows."""
        self._csv.writerows(tuple(map(spreadsheet_safe, row)) for row in rows)

    def finish(self) -> None:
        """Nothing is held back; the file stays open and is the caller's again."""
        self._text.detach()

    def discard(self) -> None:
        """Let go of the file; what it holds is the caller's to remove."""
        self._text.detach()
