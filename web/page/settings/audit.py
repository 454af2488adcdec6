"""The audit log: who did what, newest first."""

from litestar import get
from litestar.response import Template

from web.api.front_desk import AtFrontDesk, CallerRequest
from web.page.settings.section import screen_of

_ROWS = 50


@get("/settings/audit", include_in_schema=False)
async def audit_page(desk: AtFrontDesk, request: CallerRequest) -> Template:
    """A page of it."""
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    lines = await desk.people.audited(limit=_ROWS, before=before)
    older = f"/settings/audit?before={lines[-1][0]}" if len(lines) == _ROWS else ""
    return screen_of(request, desk, "audit", lines=[line for _, line in lines], older=older)
