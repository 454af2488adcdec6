"""The proxy's local port: the operator's page, the JSON API under /api/v1, and /health, behind one gate."""

from litestar import Litestar

from web.local import make_app
from web.operator.api import OPERATOR_API_HANDLERS
from web.operator.app import OPERATOR_HANDLERS
from web.operator.desk import OperatorDesk
from web.operator.render import template_config


def make_operator_local(desk: OperatorDesk, *, version: str) -> Litestar:
    """A proxy's."""
    return make_app(
        desk,
        [*OPERATOR_API_HANDLERS, *OPERATOR_HANDLERS],
        dependencies={},
        hosts=lambda: desk.control.configuration().page.hosts,
        templates=template_config(),
        version=version,
    )
