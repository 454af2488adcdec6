"""The proxy's settings as forms, one for each section."""

from collections.abc import Mapping, Sequence

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.server_definition import SERVER_SECTIONS
from touchpoints.problem import Problem
from web.operator.change import change, written
from web.operator.desk import AtOperatorDesk, CallerRequest, OperatorDesk
from web.page.entry import changes, entries, placed, places
from web.page.render import go
from web.page.settings.section import screen_of
from web.page.signin import Form
from web.page.words import t


@get(["/settings", "/settings/server"], include_in_schema=False)
async def server_settings(desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """Every section."""
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
        return await _screen(desk, request, saving=section, given=data, problems=problems)
    return go("/settings/server", said=t("settings.saved"))


async def _screen(
    desk: OperatorDesk,
    request: CallerRequest,
    *,
    saving: str = "",
    given: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> Template:
    """The forms; `given` and `problems` belong to the one that is being saved."""
    document = await written(desk)
    forms, others = {}, []
    for section, settings in SERVER_SECTIONS.items():
        group, mine = places(settings), section == saving
        errors, left = placed(problems if mine else (), group, section)
        others += left
        forms[section] = entries(
            group,
            document.get(section, {}),
            form=section,
            words=f"operator.field.{section}",
            given=given if mine else None,
            errors=errors,
        )
    free = next((one.values["free"] for one in problems if one.values.get("free")), None)
    status = 422 if problems else 200
    return screen_of(request, desk, "server", status=status, forms=forms, problems=others, free=free, facts_now=desk.facts())


SERVER_HANDLERS: list[ControllerRouterHandler] = [server_settings, save_server]
