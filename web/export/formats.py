"""The formats of the export, by the name people give."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from web.export.csv import CsvWriter
from web.export.jsonl import JsonlWriter
from web.export.row import Cells
from web.export.xlsx import XlsxWriter

Format = Literal["csv", "jsonl", "xlsx"]

CONTENT_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/jsonl",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class RowWriter(Protocol):
    """Writes rows to a binary file that it neither opens nor closes."""

    def write(self, rows: Iterable[Cells]) -> None:
        """Append rows, each in the order of COLUMNS."""

    def finish(self) -> None:
        """The last row was written."""

    def discard(self) -> None:
        """There will be no whole file: remove what stands beside it."""


def make_writer(name: Format, file: BinaryIO, *, spool: Path) -> RowWriter:
    """A writer of the format; `spool` is a folder for what a workbook needs on the way."""
    match name:
        case "csv":
            return CsvWriter(file)
        case "jsonl":
            return JsonlWriter(file)
        case "xlsx":
            return XlsxWriter(file, spool=spool)
