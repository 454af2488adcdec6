"""About: version, folder, SQLite, and a check of the files."""

from litestar import get, post
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from web.operator.desk import AtOperatorDesk, CallerRequest
from web.page.settings.section import screen_of


@get("/settings/about", include_in_schema=False)
async def about_page(desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """What runs here."""
    return screen_of(request, desk, "about", facts_now=desk.facts(), checked=None)


@post("/settings/about/check", include_in_schema=False)
async def check_files(desk: AtOperatorDesk, request: CallerRequest) -> Template:
    """Read both files from end to end."""
    return screen_of(request, desk, "about", facts_now=desk.facts(), checked=await desk.control.check())


ABOUT_HANDLERS: list[ControllerRouterHandler] = [about_page, check_files]
