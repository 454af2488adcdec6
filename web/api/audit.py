"""The audit log: who did what."""

from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter

from touchpoints.moment import rfc3339
from web.api.front_desk import AtFrontDesk
from web.api.problems import REFUSALS
from web.api.shapes import AuditList
from web.guard import administers


class AuditController(Controller):
    """Who did what."""

    path = "/api/v1/audit"
    tags = ("audit",)
    guards = (administers,)

    @get(summary="A page of the audit log, newest first", responses=REFUSALS)
    async def audit(
        self,
        desk: AtFrontDesk,
        limit: Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")] = 100,
        before: Annotated[int, QueryParameter(ge=0, le=2**53, description="The `next_before` of the page before.")] = 2**53,
    ) -> AuditList:
        """Holds no secret."""
        lines = await desk.people.audited(limit=limit, before=before)
        return {
            "audit": [
                {"number": number, "at": rfc3339(line.at), "actor": line.actor, "action": line.action, "detail": line.detail}
                for number, line in lines
            ],
            "next_before": lines[-1][0] if len(lines) == limit else None,
        }
