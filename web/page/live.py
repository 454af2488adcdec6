"""The live stream's address; web.live fills it."""

from litestar import get
from litestar.exceptions import TooManyRequestsException
from litestar.response import Stream

from web.api.front_desk import AtFrontDesk
from web.guard import SAME_ORIGIN


@get("/live", include_in_schema=False, opt={SAME_ORIGIN: True}, media_type="text/event-stream")
async def live(desk: AtFrontDesk) -> Stream:
    """What changes, as it changes: each message is an object of pieces of HTML by their names."""
    if desk.live.crowded:
        raise TooManyRequestsException
    return Stream(desk.live.stream(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})
