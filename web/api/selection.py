"""Which events or deliveries a request means: the filters that lists, actions and the export share."""

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from store.log import Filter
from touchpoints.problem import ProblemError, problem
from web.api.desk import AtDesk

# Beside the filters: what single handlers read from the query.
_OTHERS = frozenset({"limit", "before", "format", "after"})
_FILTERS = frozenset({"id", "reference", "key", "since", "until", "touchpoint", "destination", "state", "tests"})

_TIME = "RFC 3339, or a span back from now such as `36h` or `7d`; without a zone, the machine's."


async def provide_selection(
    request: Request[Any, Any, Any],
    desk: AtDesk,
    ids: Annotated[Sequence[str], QueryParameter(name="id", description="Of events or deliveries.", max_items=1000)] = (),
    reference: Annotated[str, QueryParameter(description="The number people use, e.g. an order's.")] = "",
    key: Annotated[str, QueryParameter(description="The dedup key: the provider's id of the event.")] = "",
    since: Annotated[str, QueryParameter(description=f"Received at or after: {_TIME}")] = "",
    until: Annotated[str, QueryParameter(description=f"Received before: {_TIME}")] = "",
    touchpoint: Annotated[str, QueryParameter(description="A touchpoint's name.")] = "",
    destination: Annotated[str, QueryParameter(description="A destination's name.")] = "",
    delivery_state: Annotated[
        str,
        QueryParameter(
            name="state", description="pending, held, delivered, given_up, dismissed, refused, duplicate, filtered, split."
        ),
    ] = "",
    tests: Annotated[bool, QueryParameter(description="Include test events.")] = False,
) -> Filter:
    """The filter in a request's query. A parameter nobody knows is refused: ignored, it would mean everything."""
    if unknown := sorted(set(request.query_params) - _FILTERS - _OTHERS):
        raise ProblemError(*(problem("unknown_parameter", name=ascii(name[:60])[1:-1]) for name in unknown))
    named = {
        "id": ",".join(ids),
        "reference": reference,
        "key": key,
        "since": since,
        "until": until,
        "touchpoint": touchpoint,
        "destination": destination,
        "state": delivery_state,
        "tests": "true" if tests else None,
    }
    return desk.control.selectors({name: value for name, value in named.items() if value})


Selection = SkipValidation[NamedDependency[Filter]]
