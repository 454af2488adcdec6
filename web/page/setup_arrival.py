"""Setting up, step two: how webhooks arrive. What is chosen is bound before it is saved; a proxy wants a pairing first."""

from urllib.parse import urlencode

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import Problem
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.mode import MODES, after, arrival_typed, choose
from web.page.port import free_port
from web.page.render import go, show
from web.page.signin import Form
from web.page.words import t


@get("/begin/arrival", include_in_schema=False)
async def arrival_page(desk: AtDesk, request: CallerRequest) -> Template:
    """Three ways to choose from, and what each needs."""
    now = desk.control.configuration().agent
    return _form(request, desk, now.mode or "direct", url=now.host_public_url, port=str(now.port))


@post("/begin/arrival", include_in_schema=False)
async def choose_arrival(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """The first choice counts at once; a switch is first told what it does. When the port is taken, a free one is offered."""
    mode = data.get("mode", "direct")
    if mode not in MODES:
        mode = "direct"
    url, port = arrival_typed(data)
    now, paired = desk.mode, desk.standing.paired
    if mode == "proxy" and not paired:
        return go("/settings/proxy?to=proxy")
    if now not in (None, mode):
        return go("/settings/mode?" + urlencode({"to": mode, "url": url, "port": port}))
    pairs_next = mode == "both" and not paired
    problems = await choose(desk, request, "direct" if pairs_next else mode, url=url, port=port)
    if problems:
        return _form(request, desk, mode, url=url, port=port, problems=problems)
    if pairs_next:
        return go("/settings/proxy?to=both", said=t("setup.arrival.direct_open"))
    return go("/" if desk.control.configuration().touchpoints else after(desk))


def _form(
    request: CallerRequest, desk: Desk, mode: str, *, url: str, port: str, problems: list[Problem] | None = None
) -> Template:
    return show(
        request,
        desk,
        "setup_arrival.html",
        status=422 if problems else 200,
        section="settings",
        mode=mode,
        url=url,
        port=port,
        free=free_port(problems or ()),
        first=not desk.control.configuration().touchpoints,
        paired=desk.standing.paired,
        host=desk.standing.host,
        problems=problems or [],
    )


ARRIVAL_HANDLERS: list[ControllerRouterHandler] = [arrival_page, choose_arrival]
