"""Backups of a proxy: when and how, those that are kept, one made now, and what one that was put back left to look through."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.inbox import StoreUnavailable
from store.server_definition import SERVER_SECTIONS
from touchpoints.problem import Problem, ProblemError
from web.operator.change import written
from web.operator.desk import AtOperatorDesk, CallerRequest, OperatorDesk
from web.operator.view import OrganisationView
from web.page.entry import places
from web.page.render import go
from web.page.settings.section import backups_of, forms_of, screen_of
from web.page.words import t

ROWS = 100  # organisations on one page


@get("/settings/backup", include_in_schema=False)
async def backup_page(
    desk: AtOperatorDesk,
    request: CallerRequest,
    after: Annotated[str, QueryParameter(description="The last organisation of the page before.")] = "",
) -> Template:
    """The form, what is kept, and after a restore every organisation with its agents."""
    return await backup_screen(desk, request, after=after)


@post("/settings/backup/make", include_in_schema=False)
async def make_backup(desk: AtOperatorDesk, request: CallerRequest) -> Template | Redirect:
    """Make one now; it is told once it was tried."""
    try:
        await desk.safekeeping.make(actor=request.user.actor)
    except ProblemError as error:
        return await backup_screen(desk, request, problems=error.problems)
    return go("/settings/backup", said=t("backup.made"))


@post("/settings/backup/looked", include_in_schema=False)
async def looked(desk: AtOperatorDesk, request: CallerRequest) -> Redirect:
    """The operator has looked through what was put back."""
    await desk.safekeeping.looked(actor=request.user.actor)
    return go("/settings/backup", said=t("backup.restored.done"))


async def backup_screen(
    desk: OperatorDesk,
    request: CallerRequest,
    *,
    after: str = "",
    saving: str = "",
    given: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> Template:
    """The screen; `given` and `problems` belong to the form where it is being saved."""
    kept = await backups_of(desk)
    lines = () if kept["restored"] is None else await _lines(desk, after)
    forms, others = forms_of(
        {"backup": places(SERVER_SECTIONS["backup"])},
        await written(desk),
        words="operator.field",
        saving=saving,
        given=given,
        problems=problems,
        sources=await desk.control.secret_sources(),
    )
    return screen_of(
        request,
        desk,
        "backup",
        status=422 if problems else 200,
        forms=forms,
        free=None,
        problems=others,
        lines=lines,
        older=lines[-1].name if len(lines) == ROWS else "",
        **kept,
    )


async def _lines(desk: OperatorDesk, after: str) -> Sequence[OrganisationView]:
    try:
        return await desk.control.organisations(after=after, limit=ROWS)
    except StoreUnavailable:
        return ()  # the needs say why


BACKUP_HANDLERS: list[ControllerRouterHandler] = [backup_page, make_backup, looked]
