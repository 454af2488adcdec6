"""The proxy: pairing with one, and how this agent stands there. The recovery key stands in one answer and nowhere else."""

from collections.abc import Mapping, Sequence

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import Problem, ProblemError, problem
from web.api.desk import AtDesk, CallerRequest, Desk
from web.membership import LONGEST_NAME, is_agent_name
from web.page.mode import MODES, after, choose
from web.page.proxy_view import organisation
from web.page.render import go
from web.page.settings.section import screen_of
from web.page.signin import Form
from web.page.standing import state_shown, why
from web.page.words import t

HERE = "/settings/proxy"
_URL = 2000
_CODE = 200


@get(HERE, include_in_schema=False)
async def proxy_page(desk: AtDesk, request: CallerRequest) -> Template:
    """Not paired: the form. Paired: how things stand."""
    return await proxy_screen(desk, request, to=request.query_params.get("to", ""))


@post(f"{HERE}/pair", include_in_schema=False)
async def pair(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Pair; the first agent's answer holds the recovery key, this once."""
    to = _mode(data.get("to", ""))
    url, code, name = (data.get(key, "").strip() for key in ("url", "code", "name"))
    key = ""
    wrong = [] if is_agent_name(name) else [problem("agent_name_invalid", path="name")]
    if not wrong:
        try:
            key = await desk.membership.pair(code[:_CODE], url[:_URL], name=name, actor=request.user.name)
        except ProblemError as error:
            wrong = list(error.problems)
    if wrong:
        return await proxy_screen(desk, request, to=to, given=data, problems=wrong)
    if not key:
        return go(_onward(to), said=t("proxy.pair.done_waits"))
    return screen_of(request, desk, "proxy", part="proxy_key", key=key, to=to, standing=desk.standing)


@post(f"{HERE}/written", include_in_schema=False)
async def written_down(data: Form, desk: AtDesk, request: CallerRequest) -> Redirect:
    """The recovery key is kept somewhere else. On to what the pairing was for."""
    to = _mode(data.get("to", ""))
    if to and desk.mode is None and not await choose(desk, request, to, url="", port=""):
        return go(after(desk), said=t(f"proxy.mode.done.{to}"))
    return go(_onward(to))


async def proxy_screen(
    desk: Desk,
    request: CallerRequest,
    *,
    to: str = "",
    given: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
    leaving: bool = False,
) -> Template:
    """The screen. `given` belongs to the form of pairing; `leaving`: the proxy could not be told, so it is offered without."""
    standing, status = desk.standing, 422 if problems else 200
    if not standing.paired:
        return screen_of(
            request,
            desk,
            "proxy",
            part="proxy_pair",
            status=status,
            standing=standing,
            to=_mode(to),
            first=not desk.control.configuration().touchpoints,
            given=_pair_fields(desk, given),
            problems=problems,
        )
    organised, untold = await organisation(desk.membership, standing)
    return screen_of(
        request,
        desk,
        "proxy",
        status=status,
        standing=standing,
        mode=desk.mode,
        state_now=state_shown(standing, desk.mode),
        why_now=why(standing),
        organised=organised,
        untold=untold,
        overlap=desk.control.configuration().agent.switch_overlap,
        leaving=leaving,
        problems=problems,
    )


def _pair_fields(desk: Desk, given: Mapping[str, str] | None) -> dict[str, str]:
    """What stands in the form: what was typed, but a code only while it is being corrected."""
    if given is not None:
        return {key: given.get(key, "")[:_URL] for key in ("url", "code", "name")}
    return {"url": desk.control.configuration().proxy.url, "code": "", "name": desk.facts().machine[:LONGEST_NAME]}


def _mode(to: str) -> str:
    return to if to in MODES and to != "direct" else ""


def _onward(to: str) -> str:
    return f"/settings/mode?to={to}" if to else HERE


PROXY_HANDLERS: list[ControllerRouterHandler] = [proxy_page, pair, written_down]
