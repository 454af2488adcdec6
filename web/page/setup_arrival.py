"""Setting up, step two: how webhooks arrive. What is chosen is bound before it is saved."""

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.settings import AgentSettings
from touchpoints.problem import Problem, problem
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.public_url import with_port
from web.page.render import go, show
from web.page.signin import Form


@get("/begin/arrival", include_in_schema=False)
async def arrival_page(desk: AtDesk, request: CallerRequest) -> Template:
    """Two ways to choose from, and what direct needs."""
    now = desk.control.configuration().agent
    return _form(request, desk, url=now.host_public_url, port=str(now.port))


@post("/begin/arrival", include_in_schema=False)
async def choose_arrival(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Listen there; when the port is taken, nothing is changed and the free one is offered."""
    url, text = data.get("host_public_url", "").strip(), data.get("port", "")
    if free := data.get("free_port"):
        url, text = with_port(url, text, free), free
    port = _port(text)
    if port is None:
        return _form(request, desk, url=url, port=text[:10], problems=[problem("setup_port_invalid", path="agent.port")])
    now = desk.control.configuration().agent
    applied = await desk.control.apply(
        {"agent": {"mode": _mode(now), "host_public_url": url, "port": port}},
        base="",
        digest="",
        prune=False,
        dry_run=False,
        actor=request.user.actor,
    )
    if applied.problems:
        return _form(request, desk, url=url, port=str(port), problems=list(applied.problems))
    return go("/" if desk.control.configuration().touchpoints else "/begin/touchpoint")


def _mode(now: AgentSettings) -> str:
    """Direct; where a proxy brings events already, both."""
    return "both" if now.mode in ("proxy", "both") else "direct"


def _port(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535 else None


def _form(request: CallerRequest, desk: Desk, *, url: str, port: str, problems: list[Problem] | None = None) -> Template:
    free = next((one.values["free"] for one in problems or () if one.values.get("free")), None)
    return show(
        request,
        desk,
        "setup_arrival.html",
        status=422 if problems else 200,
        section="settings",
        url=url,
        port=port,
        free=free,
        first=not desk.control.configuration().touchpoints,
        chosen=desk.control.configuration().agent.mode is not None,
        problems=problems or [],
    )


ARRIVAL_HANDLERS: list[ControllerRouterHandler] = [arrival_page, choose_arrival]
