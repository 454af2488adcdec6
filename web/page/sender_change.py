"""Another sender for a touchpoint: the picker, then what the new one needs; what was set for the old one goes."""

from typing import Any
from urllib.parse import quote

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import Problem
from touchpoints.provider import provider, providers
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.change import change, touchpoint_of, written_touchpoint
from web.page.picker import pick_groups
from web.page.render import go, show
from web.page.sender_values import sender_values
from web.page.setup_touchpoint import sender_answers
from web.page.signin import Form
from web.page.touchpoint_form import complete
from web.page.words import t


@get("/touchpoints/{name:str}/sender", include_in_schema=False)
async def choose_sender(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """The picker; with `to`, what that provider needs."""
    touchpoint_of(desk, name)
    return _form(desk, request, name, {"provider": request.query_params.get("to", "")})


@post("/touchpoints/{name:str}/sender", include_in_schema=False)
async def change_sender(name: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Change it; without a secret the touchpoint waits for one."""
    stored = await written_touchpoint(desk, name)
    changed: dict[str, Any] = {"name": name, **sender_answers(data)}
    complete(changed, stored, provider(stored["provider"]))
    if problems := await change(desk, request, {"touchpoint": [changed]}):
        return _form(desk, request, name, data, problems)
    return go(f"/begin/touchpoint/{name}", said=t("touchpoints.sender.changed"))


def _form(
    desk: Desk, request: CallerRequest, name: str, data: dict[str, str], problems: list[Problem] | None = None
) -> Template:
    now = touchpoint_of(desk, name)
    preset = providers().get(data.get("provider", ""))
    around: dict[str, Any] = {
        "status": 422 if problems else 200,
        "section": "touchpoints",
        "name": name,
        "label": providers()[now.provider].label,
        "problems": problems or [],
    }
    if preset is None:
        groups = pick_groups(lambda to: f"/touchpoints/{name}/sender?to={quote(to)}")
        return show(request, desk, "touchpoint_sender.html", **around, groups=groups, preset=None)
    given = {key: data.get(key, "") for key in ("credential", "public_url", "split")}
    return show(request, desk, "touchpoint_sender.html", **around, **sender_values(preset), given=given, groups=[])


SENDER_HANDLERS: list[ControllerRouterHandler] = [choose_sender, change_sender]
