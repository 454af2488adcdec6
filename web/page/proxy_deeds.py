"""What a person does at the proxy: approve, recover, take over, seek back, settle what is left, close an old way, leave."""

from collections.abc import Awaitable, Callable

from litestar import post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import ProblemError, problem
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.proxy import HERE, proxy_screen
from web.page.render import go
from web.page.signin import Form
from web.page.standing import old_ways
from web.page.words import t

Deed = Callable[[], Awaitable[str]]  # does it and says what it came to


@post(f"{HERE}/approve", include_in_schema=False)
async def approve(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Hand the organisation's key over: the fingerprint that stood on the screen was said to be the same."""
    if data.get("same") != "on":
        return await proxy_screen(desk, request, problems=[problem("fingerprint_not_compared")])

    async def deed() -> str:
        await desk.membership.approve(data.get("agent", ""), data.get("compared", ""), actor=request.user.name)
        return t("proxy.agents.approved")

    return await _done(desk, request, deed)


@post(f"{HERE}/recover", include_in_schema=False)
async def recover(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Get the organisation's key by the recovery key, which is not shown again, not even after a mistake."""

    async def deed() -> str:
        await desk.membership.recover(data.get("recovery_key", "")[:200], actor=request.user.name)
        return t("proxy.recover.done")

    return await _done(desk, request, deed)


@post(f"{HERE}/take-over", include_in_schema=False)
async def take_over(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Queue again what another agent took and did not settle."""

    async def deed() -> str:
        count = await desk.membership.take_over(data.get("agent", ""), actor=request.user.name)
        return t("proxy.agents.taken_over", n=count)

    return await _done(desk, request, deed)


@post(f"{HERE}/seek", include_in_schema=False)
async def seek(desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Fetch again what this agent lacks since it was restored."""
    behind = desk.standing.behind
    if behind is None:
        return go(HERE, said=t("proxy.behind.nothing"))

    async def deed() -> str:
        return t("proxy.behind.done", n=await desk.membership.seek(behind[0], actor=request.user.name))

    return await _done(desk, request, deed)


@post(f"{HERE}/left", include_in_schema=False)
async def left(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Run or drop what a former pairing left."""
    run = data.get("run") == "on"

    async def deed() -> str:
        count = await desk.membership.settle_left(run=run, actor=request.user.name)
        return t("proxy.left.ran" if run else "proxy.left.dropped", n=count)

    return await _done(desk, request, deed)


@post(f"{HERE}/restored", include_in_schema=False)
async def restored(desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Somebody compared what ran here while the proxy was restored."""

    async def deed() -> str:
        await desk.membership.dismiss_restored(actor=request.user.name)
        return t("proxy.restored.done")

    return await _done(desk, request, deed)


@post(f"{HERE}/close", include_in_schema=False)
async def close_old(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Close an old way in now."""
    way = data.get("way", "")
    if way not in old_ways(desk.standing):
        return go("/settings", said=t("proxy.closing.closed_already"))

    async def deed() -> str:
        await desk.membership.close_old(way, actor=request.user.name)
        return t(f"proxy.closing.closed.{way}")

    return await _done(desk, request, deed, to="/settings")


@post(f"{HERE}/leave", include_in_schema=False)
async def leave(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Unpair. Where the proxy cannot be told, that can be done without it."""
    try:
        await desk.membership.leave(anyway=data.get("anyway") == "on", actor=request.user.name)
    except ProblemError as error:
        return await proxy_screen(desk, request, problems=error.problems, leaving=True)
    return go(HERE, said=t("proxy.leave.done"))


async def _done(desk: Desk, request: CallerRequest, deed: Deed, *, to: str = HERE) -> Template | Redirect:
    """Do it, and say what it came to; what is wrong stands on the screen."""
    try:
        said = await deed()
    except ProblemError as error:
        return await proxy_screen(desk, request, problems=error.problems)
    return go(to, said=said)


PROXY_DEED_HANDLERS: list[ControllerRouterHandler] = [
    approve,
    recover,
    take_over,
    seek,
    left,
    restored,
    close_old,
    leave,
]
