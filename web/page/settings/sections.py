"""How webhooks arrive, what is kept and for how long, and under which names the page opens."""

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from web.api.desk import AtDesk, CallerRequest
from web.page.settings.section import SCREENS, save_section, section_screen
from web.page.signin import Form


@get("/settings", include_in_schema=False)
async def arrival(desk: AtDesk, request: CallerRequest) -> Template:
    """How webhooks arrive."""
    return await section_screen(desk, request, "arrival")


@get("/settings/storage", include_in_schema=False)
async def storage(desk: AtDesk, request: CallerRequest) -> Template:
    """What is kept, how long, and how much of it; limits."""
    return await section_screen(desk, request, "storage")


@get("/settings/access", include_in_schema=False)
async def access(desk: AtDesk, request: CallerRequest) -> Template:
    """Names of the page, and certificates."""
    return await section_screen(desk, request, "access")


@post("/settings/section/{section:str}", include_in_schema=False)
async def save(section: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Save one section."""
    screen = next((name for name, sections in SCREENS.items() if section in sections), None)
    if screen is None:
        raise NotFoundException
    return await save_section(desk, request, screen, section, data)


SECTION_HANDLERS: list[ControllerRouterHandler] = [arrival, storage, access, save]
