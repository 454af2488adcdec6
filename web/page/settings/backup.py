"""Backups: when and how, those that are kept, one made now, and what one that was put back left to look at."""

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import ProblemError
from web.api.desk import AtDesk, CallerRequest
from web.page.render import go
from web.page.settings.section import section_screen
from web.page.words import t


@get("/settings/backup", include_in_schema=False)
async def backup_page(desk: AtDesk, request: CallerRequest) -> Template:
    """The form, and what is kept."""
    return await section_screen(desk, request, "backup")


@post("/settings/backup/make", include_in_schema=False)
async def make_backup(desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Make one now; it is told once it was tried."""
    try:
        await desk.safekeeping.make(actor=request.user.actor)
    except ProblemError as error:
        return await section_screen(desk, request, "backup", problems=error.problems)
    return go("/settings/backup", said=t("backup.made"))


@post("/settings/backup/looked", include_in_schema=False)
async def looked(desk: AtDesk, request: CallerRequest) -> Redirect:
    """Somebody has looked at what was put back."""
    await desk.safekeeping.looked(actor=request.user.actor)
    return go("/settings/backup", said=t("backup.restored.done"))


BACKUP_HANDLERS: list[ControllerRouterHandler] = [backup_page, make_backup, looked]
