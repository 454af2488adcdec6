"""The mode: how webhooks arrive. What a switch does is said before it is done."""

from typing import Any

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import Problem, problem
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.change import change
from web.page.endpoints import endpoints_of
from web.page.port import free_port, port_of
from web.page.public_url import with_port
from web.page.render import go, show
from web.page.signin import Form
from web.page.standing import old_ways
from web.page.words import t

MODES = ("direct", "proxy", "both")
_WAYS = {"direct": ("direct",), "proxy": ("proxy",), "both": ("direct", "proxy")}


@get("/settings/mode", include_in_schema=False)
async def mode_page(desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """What the switch to a mode will do."""
    to = request.query_params.get("to", "")
    if to not in MODES:
        return go("/settings")
    now = desk.control.configuration().agent
    url = request.query_params.get("url", "")[:2000] or now.host_public_url
    return await _screen(desk, request, to, url=url, port=request.query_params.get("port", "")[:10] or str(now.port))


@post("/settings/mode", include_in_schema=False)
async def switch(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Switch; with problems nothing was changed."""
    to = data.get("to", "")
    if to not in MODES:
        return go("/settings")
    url, port = arrival_typed(data)
    problems = await choose(desk, request, to, url=url, port=port)
    if problems:
        return await _screen(desk, request, to, url=url, port=port, problems=problems)
    return go(after(desk), said=t(f"proxy.mode.done.{to}"))


async def choose(desk: Desk, request: CallerRequest, to: str, *, url: str, port: str) -> list[Problem]:
    """Take a mode; what it needs is looked at first. `url` and `port` count where senders come directly."""
    agent: dict[str, Any] = {"mode": to}
    if "direct" in _WAYS[to]:
        number = port_of(port)
        if number is None:
            return [problem("setup_port_invalid", path="agent.port")]
        if not url:
            return [problem("setup_url_missing", path="agent.host_public_url")]
        agent |= {"host_public_url": url, "port": number}
    if "proxy" in _WAYS[to] and not desk.standing.paired:
        return [problem("proxy_unpaired")]
    return await change(desk, request, {"agent": agent})


def after(desk: Desk) -> str:
    """Where a person goes on: to the URLs, or to make the first touchpoint."""
    return "/touchpoints" if desk.control.configuration().touchpoints else "/begin/touchpoint"


def arrival_typed(data: dict[str, str]) -> tuple[str, str]:
    """Public URL and port of a form, the free port where that was chosen."""
    url, port = data.get("host_public_url", "").strip(), data.get("port", "").strip()
    if free := data.get("free_port"):
        return with_port(url, port, free), free
    return url, port


async def _screen(
    desk: Desk, request: CallerRequest, to: str, *, url: str, port: str, problems: list[Problem] | None = None
) -> Template:
    agent, standing = desk.control.configuration().agent, desk.standing
    now = _WAYS.get(agent.mode or "", ())
    wanted = _WAYS[to]
    return show(
        request,
        desk,
        "mode.html",
        section="settings",
        status=422 if problems else 200,
        to=to,
        same=agent.mode == to,
        unpaired="proxy" in wanted and not standing.paired,
        direct="direct" in wanted,
        opens=[way for way in wanted if way not in now],
        closes=[way for way in now if way not in wanted],
        reopens=[way for way in old_ways(standing) if way in wanted],
        standing=standing,
        overlap=agent.switch_overlap,
        listens=agent.port,
        lines=await _lines(desk, to, url),
        url=url,
        port=port,
        free=free_port(problems or ()),
        problems=problems or [],
    )


async def _lines(desk: Desk, to: str, url: str) -> list[dict[str, Any]]:
    """Each touchpoint with its URLs now and afterwards; None: the proxy makes it when the switch is done."""
    numbers = {one.name: one.id for one in desk.control.configuration().touchpoints}
    at_proxy = desk.standing.urls

    def afterwards(way: str, name: str) -> str | None:
        if way == "proxy":
            return at_proxy.get(numbers.get(name, 0))
        return f"{url.rstrip('/')}/hooks/{name}" if url else None

    return [
        {
            "name": line["name"],
            "now": [one.url for one in endpoints_of(desk, line) if one.url and one.mark != "closing"],
            "after": [afterwards(way, line["name"]) for way in _WAYS[to]],
        }
        for line in (await desk.control.touchpoints())["touchpoints"]
    ]


MODE_HANDLERS: list[ControllerRouterHandler] = [mode_page, switch]
