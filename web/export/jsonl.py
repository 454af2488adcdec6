"""The export as JSON Lines: one object a row, its keys the columns; ASCII only, so that nothing acts on a terminal."""

import json
from collections.abc import Iterable
from typing import BinaryIO

from web.export.row import COLUMNS, Cells


class JsonlWriter:
    """Writes rows to a binary file as they come."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, rows: Iterable[Cells]) -> None:
        """Append rows."""
        self._file.write("".join(map(_line, rows)).encode("ascii"))

    def finish(self) -> None:
        """Nothing is held back; the file stays open and is the caller's again."""

    def discard(self) -> None:
        """Nothing is held."""


def _line(row: Cells) -> str:
    return json.dumps(dict(zip(COLUMNS, row, strict=True)), separators=(",", ":")) + "\n"
