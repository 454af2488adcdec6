"""The export: what, when, which format; the first rows to look at, and the file."""

from collections.abc import Sequence
from urllib.parse import urlencode

from litestar import Response, get
from litestar.response import Template

from store.log import ExportRow
from touchpoints.problem import Problem, ProblemError
from web.api.desk import AtDesk, CallerRequest
from web.export.formats import CONTENT_TYPES
from web.page.events import form_values
from web.page.filters import chosen_names
from web.page.render import fragment, show

PREVIEW = 8
MANY = 5_000  # rows that are counted while a person waits


@get("/export", include_in_schema=False)
async def export_page(desk: AtDesk, request: CallerRequest) -> Template:
    """The form, and the rows the file begins with."""
    chosen = chosen_names(request.query_params)
    wanted = request.query_params.get("format", "xlsx")
    problems: Sequence[Problem] = ()
    rows: Sequence[ExportRow] = ()
    try:
        rows = await desk.log().rows(desk.control.selectors(chosen), limit=PREVIEW)
    except ProblemError as error:
        problems = error.problems
    name = wanted if wanted in CONTENT_TYPES else "xlsx"
    return show(
        request,
        desk,
        "export.html",
        section="export",
        status=400 if problems else 200,
        rows=rows,
        names=desk.names,
        problems=problems,
        format=name,
        formats=tuple(CONTENT_TYPES),
        file=f"/api/v1/export/deliveries?{urlencode({**chosen, 'format': name})}",
        **form_values(desk, chosen),
    )


@get("/export/count", include_in_schema=False)
async def export_count(desk: AtDesk, request: CallerRequest) -> Response[str]:
    """How many rows there will be; of very many first that they are, and the number itself when asked for the `whole`."""
    chosen = chosen_names(request.query_params)
    most = None if request.query_params.get("whole") else MANY
    count = await desk.log().count_rows(desk.control.selectors(chosen), most=most)
    more = "" if most is None or count <= most else urlencode({**chosen, "whole": "1"})
    return Response(fragment("_export_count.html", count=count, many=MANY, more=more), media_type="text/html")
