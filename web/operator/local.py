"""The proxy's local port: the operator's page, the JSON API under /api/v1, and /health, behind one gate."""

from litestar import Litestar
from litestar.di import Provide

from web.api.app import describe
from web.guard import Doorkeeper, Gate
from web.guard_headers import add_safe_headers
from web.local import BODY_LIMIT
from web.operator.api import OPERATOR_API_HANDLERS
from web.operator.app import OPERATOR_HANDLERS
from web.operator.desk import OperatorDesk
from web.operator.render import template_config
from web.page.errors import exception_handlers


def make_operator_local(desk: OperatorDesk, *, version: str) -> Litestar:
    """The application; whoever serves it says on which port. It opens and closes nothing."""
    doorkeeper = Doorkeeper(
        people=desk.people,
        door=desk.door,
        instance=desk.instance,
        machine_token_digest=desk.machine_token_digest,
        hosts=lambda: desk.control.configuration().page.hosts,
        now=desk.now,
    )
    return Litestar(
        [*OPERATOR_API_HANDLERS, *OPERATOR_HANDLERS],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        middleware=[Gate(doorkeeper)],
        before_send=[add_safe_headers],
        exception_handlers=exception_handlers(desk, doorkeeper.hosts),
        request_max_body_size=BODY_LIMIT,
        template_config=template_config(),
        logging_config=None,
        openapi_config=describe(version),
    )
