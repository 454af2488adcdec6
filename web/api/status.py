"""How the agent fares."""

from typing import cast

from litestar import Controller, get

from web.api.desk import AtDesk
from web.api.front_desk import AtFrontDesk
from web.api.problems import REFUSALS
from web.api.shapes import Health, Status
from web.guard import OPEN


class StatusController(Controller):
    """The agent's state."""

    path = "/api/v1/status"
    tags = ("status",)

    @get(summary="How the agent fares", responses=REFUSALS)
    async def status(self, desk: AtDesk) -> Status:
        """Whether everything configured is up, what waits, and what needs a person."""
        return cast(Status, await desk.control.status())


@get("/health", opt={OPEN: True}, tags=["status"], summary="Whether the process answers", security=[{}])
async def health(desk: AtFrontDesk) -> Health:
    """Needs no token and tells nothing else, but that stored events are being brought into a newer form."""
    return {"ok": True, "migrating": True} if desk.vitals().migrating else {"ok": True}
