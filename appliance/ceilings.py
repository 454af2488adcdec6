"""The ceilings of the listeners: as many connections as there are file handles for, and some left for all else."""

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
FILES = 96  # of them, for files, deliveries and what three listeners accept in a turn
BROWSER = 8  # connections
PAGE = 2000  # connections to the page, where there are handles for as many
MOST_STRANGERS = 12_000  # connections at once that any public listener is meant to hold: a proxy's


def within_handles(ceilings: Ceilings, most: int | None) -> Ceilings:
    """No more connections in all than `most` handles allow: strangers must not take the ones that the page needs."""
    if most is None:
        return ceilings
    return replace(ceilings, total=min(ceilings.total, most - min(KEPT, most // 2)))


def ceilings_here(ceilings: Ceilings | None = None) -> Ceilings:
    """What this process can hold."""
    return within_handles(ceilings or Ceilings(), handles())


def page_within_handles(most: int | None) -> tuple[Ceilings, Ceilings]:
    """Those of the page's listeners: of the one that people reach, and of the other.

    Together they take no more than half of what `most` handles leave beside the public listener, and of few handles less. Each
    has its own: strangers at a page beyond loopback must not keep out the commands on the machine.
    """
    spare = 2 * PAGE if most is None else max(min(KEPT, most // 2), most - MOST_STRANGERS)
    total = min(PAGE, spare // 2, max(BROWSER, spare - FILES))
    other = total // 4
    return _page(total - other), _page(other)


def page_ceilings() -> tuple[Ceilings, Ceilings]:
    """What this process can hold for the page."""
    return page_within_handles(handles())


def _page(total: int) -> Ceilings:
    """One address takes half at most."""
    return Ceilings(total=total, per_address=max(1, min(Ceilings().per_address, total // 2)))
