"""The ceilings of the public listener: as many connections as there are file handles for, and some left for all else."""

import sys
from dataclasses import replace

from web.listener.crowd import Ceilings

if sys.platform == "win32":

    def handles() -> int | None:
        """Windows knows no such limit."""
        return None

else:
    from appliance.handles_posix import handles

KEPT = 512  # for the page, deliveries and files; of fewer than twice as many handles, half


def within_handles(ceilings: Ceilings, most: int | None) -> Ceilings:
    """No more connections in all than `most` handles allow: strangers must not take the ones that the page needs."""
    if most is None:
        return ceilings
    return replace(ceilings, total=min(ceilings.total, most - min(KEPT, most // 2)))


def ceilings_here(ceilings: Ceilings | None = None) -> Ceilings:
    """What this process can hold."""
    return within_handles(ceilings or Ceilings(), handles())
