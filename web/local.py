"""The local port's application: the page, the JSON API under /api/v1, and /health, behind one gate."""

from collections.abc import Callable, Collection, Mapping, Sequence

from litestar import Litestar
from litestar.di import Provide
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig
from litestar.types import ControllerRouterHandler

from web.allowed_methods import name_methods
from web.api.app import API_HANDLERS, describe
from web.api.desk import Desk
from web.api.front_desk import FrontDesk
from web.api.selection import provide_selection
from web.guard import Doorkeeper, Gate
from web.guard_headers import add_safe_headers
from web.page.app import PAGE_HANDLERS
from web.page.errors import exception_handlers
from web.page.render import template_config
from web.strict_request import StrictRequest
from web.strict_shape import StrictShapes

BODY_LIMIT = 2 * 1024 * 1024  # a configuration file of 1 MiB, and its quoting


def make_local(desk: Desk, *, version: str) -> Litestar:
    """An agent's."""
    return make_app(
        desk,
        [*API_HANDLERS, *PAGE_HANDLERS],
        dependencies={"which": Provide(provide_selection)},
        hosts=lambda: desk.control.configuration().page.hosts,
        templates=template_config(),
        version=version,
    )


def make_app(
    desk: FrontDesk,
    handlers: Sequence[ControllerRouterHandler],
    *,
    dependencies: Mapping[str, Provide],
    hosts: Callable[[], Collection[str]],
    templates: TemplateConfig[JinjaTemplateEngine],
    version: str,
) -> Litestar:
    """The application; whoever serves it says on which port. It opens and closes nothing."""
    doorkeeper = Doorkeeper(
        people=desk.people,
        door=desk.door,
        instance=desk.instance,
        machine_token_digest=desk.machine_token_digest,
        hosts=hosts,
        now=desk.now,
    )
    return Litestar(
        handlers,
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False), **dependencies},
        middleware=[Gate(doorkeeper)],
        before_send=[add_safe_headers, name_methods],
        request_class=StrictRequest,
        plugins=[StrictShapes()],
        exception_handlers=exception_handlers(desk, hosts),
        request_max_body_size=BODY_LIMIT,
        template_config=templates,
        logging_config=None,
        openapi_config=describe(version),
    )
