"""A newer program as a process that ends, as by kill -9, at the n-th step of its upgrade. None of this is in the product.

A step is a statement of a migration that is not in the product, before it runs, or a thousand of SQLite's instructions within
one, or a migration's end, or either end of the copy that is made before.
"""

import itertools
import os
import sqlite3
from pathlib import Path

from store.sqlite import migrate as module
from tests.chaos.launcher import KILLED, launch
from tests.store.upgrades import REWRITTEN, newer

PACE = 1_000  # of SQLite's instructions between two steps: some hundred rows

_steps = itertools.count(1)


def launch_newer(role: str, folder: Path, log: Path, last: int) -> None:
    """Run a role of a newer program over a data folder. At step `last` of its upgrade the process ends; 0: never."""

    def step() -> bool:
        if last and next(_steps) == last:
            os._exit(KILLED)
        return False

    apply = module._apply

    def stepping(db: sqlite3.Connection, number: int, name: str, sql: str, now: int) -> None:
        if number > 1:
            db.set_trace_callback(lambda _sql: step() and None)
            db.set_progress_handler(step, PACE)
        apply(db, number, name, sql, now)
        db.set_trace_callback(None)
        if number > 1:
            step()

    copy = module._copy

    def copying(db: sqlite3.Connection, target: Path) -> None:
        step()
        copy(db, target)
        step()

    module._apply, module._copy = stepping, copying
    with newer(*REWRITTEN):
        launch(role, folder, log, 0)
