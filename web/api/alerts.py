"""Alerts: how they fare, and a test."""

from typing import cast

from litestar import Controller, get, post

from web.api.alert_shapes import AlertsShape, AlertsTested
from web.api.desk import AtDesk, CallerRequest
from web.api.problems import REFUSALS
from web.guard import operates


class AlertsController(Controller):
    """What tells a person that one is needed."""

    path = "/api/v1/alerts"
    tags = ("alerts",)

    @get(summary="How alerts fare, and what they told last", responses=REFUSALS)
    async def alerts(self, desk: AtDesk) -> AlertsShape:
        """Each channel with why it cannot send just now; then what was told, newest first."""
        return cast(AlertsShape, desk.control.alerts())

    @post("/test", summary="Send a test alert", guards=[operates], status_code=200, responses=REFUSALS)
    async def test(self, desk: AtDesk, request: CallerRequest) -> AlertsTested:
        """By every channel that is set up, now; a few seconds apart at least."""
        return cast(AlertsTested, await desk.control.test_alerts(None, actor=request.user.actor))
