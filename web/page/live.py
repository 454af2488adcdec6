"""The live stream's address; web.live fills it."""

from litestar import get
from litestar.exceptions import TooManyRequestsException
from litestar.response import Stream

from web.api.front_desk import AtFrontDesk, CallerRequest
from web.guard import SAME_ORIGIN
from web.guard_session import living_session
from web.guard_stream import while_signed_in


@get("/live", include_in_schema=False, opt={SAME_ORIGIN: True}, media_type="text/event-stream")
async def live(desk: AtFrontDesk, request: CallerRequest) -> Stream:
    """What changes, as it changes: each message is an object of pieces of HTML by their names."""
    if desk.live.crowded:
        raise TooManyRequestsException
    headers = request.scope["headers"]

    async def is_in() -> bool:
        return await living_session(desk.door, headers, desk.instance(), now=desk.now(), note=False) is not None

    stream = while_signed_in(desk.live.stream(), is_in)
    return Stream(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
