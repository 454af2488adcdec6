"""The local port's application: the JSON API under /api/v1, and /health."""

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from web.api.audit import AuditController
from web.api.configuration import ConfigurationController
from web.api.desk import Desk
from web.api.events import EventsController
from web.api.export import ExportController
from web.api.files import FilesController
from web.api.problems import EXCEPTION_HANDLERS
from web.api.selection import provide_selection
from web.api.status import StatusController, health
from web.api.tokens import TokensController
from web.api.touchpoints import TouchpointsController
from web.guard import Doorkeeper, Gate
from web.guard_headers import add_safe_headers

BODY_LIMIT = 2 * 1024 * 1024  # a configuration file of 1 MiB, and its quoting


def make_api(desk: Desk, *, version: str) -> Litestar:
    """The application; whoever serves it says on which port. It opens and closes nothing."""
    doorkeeper = Doorkeeper(
        people=desk.people,
        machine_token_digest=desk.machine_token_digest,
        hosts=lambda: desk.control.configuration().page.hosts,
        now=desk.now,
    )
    return Litestar(
        [
            health,
            StatusController,
            TouchpointsController,
            EventsController,
            ConfigurationController,
            ExportController,
            TokensController,
            AuditController,
            FilesController,
        ],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False), "which": Provide(provide_selection)},
        middleware=[Gate(doorkeeper)],
        before_send=[add_safe_headers],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=BODY_LIMIT,
        logging_config=None,
        openapi_config=_openapi(version),
    )


def _openapi(version: str) -> OpenAPIConfig:
    """The description at /api/v1/openapi.json, and no page that would fetch scripts from elsewhere."""
    return OpenAPIConfig(
        title="Hookport",
        version=version,
        description=(
            "Webhooks, safe on disk and carried into the back office. Every answer is one JSON object whose keys are "
            "only ever added to; times are RFC 3339 UTC. What was not done is answered with `problems`, each with a "
            "stable code and what mends it.\n\n"
            "Send `Authorization: Bearer TOKEN`. A token has the scope read, operate or admin, each including the ones "
            "before it; `hookport token add NAME --scope SCOPE` makes one."
        ),
        path="/api/v1",
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
        security=[{"token": []}],
        components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
    )
