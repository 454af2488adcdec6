"""The JSON API's handlers and its description; `web.local` serves them."""

from typing import Any

from litestar import Request, Router
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler

from web.api.admin import AdminController
from web.api.alerts import AlertsController
from web.api.audit import AuditController
from web.api.backups import BackupsController
from web.api.configuration import ConfigurationController
from web.api.events import EventsController
from web.api.export import ExportController
from web.api.files import FilesController
from web.api.providers import ProvidersController
from web.api.proxy import ProxyController
from web.api.status import StatusController, health
from web.api.tokens import TokensController
from web.api.touchpoints import TouchpointsController

API_HANDLERS: list[ControllerRouterHandler] = [
    health,
    StatusController,
    TouchpointsController,
    ProvidersController,
    EventsController,
    ConfigurationController,
    AlertsController,
    ProxyController,
    ExportController,
    TokensController,
    AuditController,
    AdminController,
    FilesController,
    BackupsController,
]


def describe(version: str) -> OpenAPIConfig:
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
        openapi_router=Router("/api/v1", route_handlers=[], include_in_schema=False, before_request=_only_the_description),
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
        security=[{"token": []}],
        components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
    )


def _only_the_description(request: Request[Any, Any, Any]) -> None:
    """Beside the description Litestar answers every other address here by a page of its own; ours is a problem in JSON."""
    if "path" in request.path_params:
        raise NotFoundException
