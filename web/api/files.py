"""The two files: whether they read from end to end, and how to begin anew when the events file is damaged."""

from typing import cast

from litestar import Controller, get, post

from web.api.desk import AtDesk, CallerRequest
from web.api.problems import REFUSALS
from web.api.shapes import Checked
from web.guard import administers, operates


class FilesController(Controller):
    """Configuration and events on disk."""

    path = "/api/v1/files"
    tags = ("files",)

    @get("/check", summary="Whether both files read from end to end", guards=[operates], responses=REFUSALS)
    async def check(self, desk: AtDesk) -> Checked:
        """Takes as long as reading everything takes; the rest goes on meanwhile."""
        return cast(Checked, await desk.control.check())

    @post(
        "/events/start-empty",
        summary="Begin with an empty events file",
        status_code=200,
        guards=[administers],
        responses=REFUSALS,
    )
    async def start_empty(self, desk: AtDesk, request: CallerRequest) -> Checked:
        """Only where the events file is damaged. The damaged one is moved aside and stays."""
        await desk.control.start_empty(actor=request.user.actor)
        return cast(Checked, await desk.control.check())
