"""Hookport on a disk that needs its time: `python -m tests.chaos.slowed SECONDS …`. None of this is in the product."""

import sqlite3
import sys
import time
from typing import Any

from appliance.command import main

_real = sqlite3.connect
_seconds = 0.0


class _Slow(sqlite3.Connection):
    """A connection whose commits take so long."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            time.sleep(_seconds)
        return super().execute(sql, *parameters)


def _connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
    return _real(*arguments, factory=_Slow, **options)


if __name__ == "__main__":
    _seconds = float(sys.argv.pop(1))
    sqlite3.connect = _connect  # type: ignore[assignment]  # with every argument passed on
    main()
