"""Alerts: who is told, of what and how; a test by what is typed; what was told last."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.settings import ALERT_KINDS
from store.settings_definition import SECTIONS
from touchpoints.moment import from_datetime
from touchpoints.problem import Problem, ProblemError
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.change import change, written
from web.page.entry import changes, entries, placed, places
from web.page.render import go, is_inside
from web.page.settings.section import screen_of
from web.page.signin import Form
from web.page.words import t

_FORM = "alerts"
_KIND = "about."  # of the boxes, one for each kind; alone it says that the form has them

Document = dict[str, Any]


@get("/settings/alerts", include_in_schema=False)
async def alerts_page(desk: AtDesk, request: CallerRequest) -> Template:
    """The form, how each way fares, and what was told."""
    return await _screen(desk, request)


@post("/settings/alerts", include_in_schema=False)
async def save_alerts(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Save what the form changes."""
    document = await _changed(desk, data)
    problems = await change(desk, request, document) if document else []
    if problems:
        return await _screen(desk, request, given=data, problems=problems)
    return go("/settings/alerts", said=t("settings.saved"))


@post("/settings/alerts/test", include_in_schema=False)
async def test_alerts(data: Form, desk: AtDesk, request: CallerRequest) -> Template:
    """Send a test by what is typed, saved or not; the form stays as it is where a script asks."""
    document = await _changed(desk, data)
    outcomes: list[dict[str, Any]] = []
    problems: list[Problem] = []
    try:
        tested = await desk.control.test_alerts(document or None, actor=request.user.actor)
        outcomes = tested["channels"]
    except ProblemError as error:
        problems = list(error.problems)
    if is_inside(request):
        return Template("_settings_alerts_tested.html", context={"outcomes": outcomes, "problems": problems})
    return await _screen(desk, request, given=data, problems=problems, outcomes=outcomes)


async def _changed(desk: Desk, data: Mapping[str, str]) -> Document:
    """The document of what a form changes. All kinds are told where all are ticked, or none."""
    if _KIND in data:
        ticked = [kind for kind in ALERT_KINDS if f"{_KIND}{kind}" in data]
        data = {**data, "alerts.about": "" if len(ticked) == len(ALERT_KINDS) else "\n".join(ticked)}
    stored = (await written(desk)).get(_FORM, {})
    changed = changes(places(SECTIONS[_FORM]), stored, data, form=_FORM)
    return {_FORM: changed} if changed else {}


async def _screen(
    desk: Desk,
    request: CallerRequest,
    *,
    given: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
    outcomes: Sequence[Mapping[str, Any]] = (),
) -> Template:
    group = places(SECTIONS[_FORM])
    stored = (await written(desk)).get(_FORM, {})
    errors, others = placed(problems, group, _FORM)
    fields = entries(
        group,
        stored,
        form=_FORM,
        words="alerts.field",
        given=given,
        errors=errors,
        sources=await desk.control.secret_sources(),
    )
    about = stored.get("about") or ALERT_KINDS
    if given is not None:
        about = [kind for kind in ALERT_KINDS if f"{_KIND}{kind}" in given]
    alerts = desk.control.alerts()
    return screen_of(
        request,
        desk,
        "alerts",
        status=422 if problems else 200,
        form={one.name.removeprefix(f"{_FORM}."): one for one in fields},
        kinds=[(kind, kind in about) for kind in ALERT_KINDS],
        problems=others,
        outcomes=outcomes,
        channels=[_timed(one) for one in alerts["channels"]],
        told=[_timed(one) for one in alerts["told"]],
    )


def _timed(one: Mapping[str, Any]) -> dict[str, Any]:
    """The same, its times as moments."""
    moments = {
        name: value and from_datetime(datetime.fromisoformat(value)) for name, value in one.items() if name.endswith("_at")
    }
    return {**one, **moments}


ALERT_HANDLERS: list[ControllerRouterHandler] = [alerts_page, save_alerts, test_alerts]
