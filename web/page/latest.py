"""The latest events, as the home screen lists them."""

from store.inbox import StoreUnavailable
from store.log import Filter
from web.api.desk import Desk
from web.page.events import Line, lines_of

MOST = 12


async def latest(desk: Desk) -> list[Line]:
    """The newest first; none while the events file cannot be read."""
    try:
        return await lines_of(desk, await desk.log().events(Filter(), limit=MOST))
    except StoreUnavailable:
        return []
