"""Setting up, step two: the proxy's public URL and its listener. What is chosen is bound before it is saved."""

from collections.abc import Sequence

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import Problem, problem
from web.operator.change import change
from web.operator.desk import AtOperatorDesk, CallerRequest, OperatorDesk
from web.page.port import free_port, port_of
from web.page.render import go, show
from web.page.signin import Form


@get("/begin/server", include_in_schema=False)
async def server_page(desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """Where senders and agents reach the proxy, and where it listens for them."""
    now = desk.control.configuration().server
    given = {"listen": now.listen if now.public_url else "127.0.0.1", "port": str(now.port), "public_url": now.public_url}
    return await _form(desk, request, {**given, "trusted_proxies": "\n".join(now.trusted_proxies)})


@post("/begin/server", include_in_schema=False)
async def choose_server(data: Form, desk: AtOperatorDesk, request: CallerRequest) -> Template | Redirect:
    """Listen there; when the port is taken, nothing is changed and a free one is offered."""
    given = {**data, "port": data.get("free_port") or data.get("port", "")}
    port = port_of(given["port"])
    if port is None:
        return await _form(desk, request, given, [problem("setup_port_invalid", path="server.port")])
    if not given.get("public_url", "").strip():
        return await _form(desk, request, given, [problem("public_url_missing", path="server.public_url")])
    wanted = {
        "public_url": given["public_url"].strip(),
        "listen": given.get("listen", "").strip(),
        "port": port,
        "trusted_proxies": [line.strip() for line in given.get("trusted_proxies", "").splitlines() if line.strip()],
    }
    if problems := await change(desk, request, {"server": wanted}):
        return await _form(desk, request, given, problems)
    return go("/" if await desk.control.organisations(limit=1) else "/add-organisation")


async def _form(
    desk: OperatorDesk, request: CallerRequest, given: dict[str, str], problems: Sequence[Problem] = ()
) -> Template:
    return show(
        request,
        desk,
        "begin_server.html",
        section="settings",
        status=422 if problems else 200,
        given={key: given.get(key, "") for key in ("public_url", "listen", "port", "trusted_proxies")},
        free=free_port(problems),
        problems=problems,
    )


SERVER_STEP_HANDLERS: list[ControllerRouterHandler] = [server_page, choose_server]
