"""The proxy's settings as forms, one for each section; backups have a screen of their own."""

from collections.abc import Mapping, Sequence

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.server_definition import SERVER_SECTIONS
from touchpoints.problem import Problem
from web.operator.backup import backup_screen
from web.operator.change import change, written
from web.operator.desk import AtOperatorDesk, CallerRequest, OperatorDesk
from web.page.entry import changes, places
from web.page.port import free_port
from web.page.render import go
from web.page.settings.section import forms_of, screen_of
from web.page.signin import Form
from web.page.words import t


@get(["/settings", "/settings/server"], include_in_schema=False)
async def server_settings(desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """Every section but that of backups."""
    return await _screen(desk, request)


@post("/settings/section/{section:str}", include_in_schema=False)
async def save_server(section: FromPath[str], data: Form, desk: AtOperatorDesk, request: CallerRequest) -> Template | Redirect:
    """Save what a form changes; a port is opened before anything is saved."""
    if section not in SERVER_SECTIONS:
        raise NotFoundException
    if free := data.get("free_port"):
        data = {**data, "server.port": free}
    stored = (await written(desk)).get(section, {})
    changed = changes(places(SERVER_SECTIONS[section]), stored, data, form=section)
    if changed and (problems := await change(desk, request, {section: changed})):
        screen = backup_screen if section == "backup" else _screen
        return await screen(desk, request, saving=section, given=data, problems=problems)
    return go("/settings/backup" if section == "backup" else "/settings/server", said=t("settings.saved"))


async def _screen(
    desk: OperatorDesk,
    request: CallerRequest,
    *,
    saving: str = "",
    given: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> Template:
    """The forms; `given` and `problems` belong to the one that is being saved."""
    groups = {section: places(settings) for section, settings in SERVER_SECTIONS.items() if section != "backup"}
    forms, others = forms_of(groups, await written(desk), words="operator.field", saving=saving, given=given, problems=problems)
    return screen_of(
        request,
        desk,
        "server",
        status=422 if problems else 200,
        forms=forms,
        problems=others,
        free=free_port(problems),
        facts_now=desk.facts(),
    )


SERVER_HANDLERS: list[ControllerRouterHandler] = [server_settings, save_server]
