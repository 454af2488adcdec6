"""Hookport whose file handles something else takes: `python -m tests.chaos.greedy FILE …`. None of this is in the product.

While FILE is there all handles are taken but one less than it has bytes; where that is none, also those that come free again.
"""

import os
import sys
import threading
import time
from pathlib import Path

from appliance.command import main
from appliance.schedule import Schedule
from tests.whole.hurried import hurried

_PAUSE = 0.005  # seconds


def grab(told: Path) -> None:
    """Take and give back, for ever."""
    taken: list[int] = []
    while True:
        try:
            leave = told.stat().st_size - 1
        except OSError:
            while taken:
                os.close(taken.pop())
        else:
            if not (taken and leave):
                _take(taken)
                for _ in range(leave):
                    os.close(taken.pop())
        time.sleep(_PAUSE)


def _take(taken: list[int]) -> None:
    try:
        while True:
            taken.append(os.dup(2))
    except OSError:
        return


if __name__ == "__main__":
    threading.Thread(target=grab, args=(Path(sys.argv.pop(1)),), daemon=True).start()
    Schedule.every = hurried  # type: ignore[method-assign]  # a person is told within half a second
    main()
