"""The lost password: a fresh one-time link, for whoever may run commands on the server."""

from litestar import Controller, post

from touchpoints.problem import problem
from web.api.front_desk import AtFrontDesk, CallerRequest
from web.api.problems import REFUSALS
from web.api.shapes import FreshLink
from web.guard import NotAllowed, administers


class AdminController(Controller):
    """For when nobody can sign in."""

    path = "/api/v1/admin"
    tags = ("admin",)
    guards = (administers,)

    @post("/reset", summary="Make a one-time link that sets a password", status_code=200, responses=REFUSALS)
    async def reset(self, desk: AtFrontDesk, request: CallerRequest) -> FreshLink:
        """For commands on the server alone; no API token and no signed-in person may. An older link is dead from now on."""
        if not request.user.machine:
            raise NotAllowed(403, problem("reset_not_allowed"))
        address = desk.loopback()
        if address is None:
            await desk.door.ask_for_link()
        await desk.write_down(request.user, "admin.reset", "a one-time link" + ("" if address else " at the next start"))
        return {"link": None if address is None else f"{address}{desk.link.renew()}"}
