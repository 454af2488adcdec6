"""The home screen: what needs the operator, and every organisation in a line. Its pieces are live."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter
from litestar.response import Template

from store.inbox import StoreUnavailable
from web.operator.desk import AtOperatorDesk, CallerRequest, OperatorDesk
from web.operator.need import needs_shown
from web.operator.render import fragment
from web.page.render import show

ROWS = 100  # organisations on one page

# Each piece's template, by the name it has in the live stream.
PIECES = {"badge": "_badge.html", "needs": "_needs.html", "organisations": "_organisations.html"}


@get("/", include_in_schema=False)
async def home(
    desk: AtOperatorDesk,
    request: CallerRequest,
    after: Annotated[str, QueryParameter(description="The last organisation of the page before.")] = "",
) -> Template:
    """Everything at one glance. Only the first page is live."""
    return show(request, desk, "home.html", section="home", after=after, **await _values(desk, after))


async def pieces(desk: OperatorDesk) -> Mapping[str, str]:
    """Every live piece, rendered."""
    values = {"times": replace(desk.times, steady=True), "vitals": desk.vitals(), **await _values(desk, "")}
    return {name: fragment(template, **values) for name, template in PIECES.items()}


async def _values(desk: OperatorDesk, after: str) -> dict[str, Any]:
    status = await desk.control.status()
    try:
        lines = await desk.control.organisations(after=after, limit=ROWS)
    except StoreUnavailable:
        lines = ()  # the needs say why
    return {
        "needs": needs_shown(status),
        "queue": status["queue"],
        "lines": lines,
        "older": lines[-1].name if len(lines) == ROWS else "",
    }
