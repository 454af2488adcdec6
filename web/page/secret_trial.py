"""A secret tried on a refused event: first whether it would fit, and nothing is kept; then saved, and what fits is run."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from litestar import Response, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from touchpoints.diagnosis import explain
from touchpoints.event import Event, Verdict
from touchpoints.judge import request_of
from touchpoints.problem import Problem, problem
from touchpoints.touchpoint import Touchpoint
from web.api.desk import AtDesk, CallerRequest, Desk
from web.api.problems import NotFound
from web.page.change import change, written_touchpoint
from web.page.diagnosis_view import in_problem_words, url_given
from web.page.event import event_values
from web.page.render import fragment, go, is_inside, show
from web.page.signin import Form
from web.page.words import t

LONGEST_SECRET = 16384  # characters; a public key is the longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of trying. `fits` is None where there was nothing to try it on."""

    fits: bool | None
    problems: tuple[Problem, ...] = ()
    reference: str = ""
    event_type: str = ""


async def try_secret(desk: Desk, touchpoint: Touchpoint, event: Event | None, secret: str) -> Tried:
    """Whether the touchpoint would take a refused event if this were its only secret."""
    if not secret or len(secret) > LONGEST_SECRET:
        return Tried(fits=None, problems=(problem("trial_secret_missing"),))
    seen = await desk.control.trial(touchpoint.name, event.id, secret=secret) if event else None
    if event is None or seen is None:
        return Tried(fits=None, problems=(problem("trial_event_missing"),))
    if seen["verdict"] == "accepted":
        return Tried(fits=True, reference=seen["reference"] or "", event_type=seen["event_type"])
    body = await desk.log().body(event.id) or b""
    with_it = replace(touchpoint, secrets=(secret,))
    found = explain(request_of(event, body, url_given(desk, touchpoint, event)), with_it, seen["reason"] or event.reason)
    return Tried(fits=False, problems=(_reason(seen["reason"]), *(in_problem_words(one) for one in found)))


def _reason(code: str) -> Problem:
    try:
        return problem(code)
    except KeyError:  # an answer, or a reason whose words want values
        return Problem(code, t("events.reason_unknown", code=code or "?"), "")


async def save_secret(desk: Desk, request: CallerRequest, touchpoint: Touchpoint, secret: str, *, alone: bool) -> list[Problem]:
    """Keep the secret, beside the others or in their place; with problems nothing is changed."""
    kept = [] if alone else (await written_touchpoint(desk, touchpoint.name)).get("secrets", [])
    return await change(desk, request, {"touchpoint": [{"name": touchpoint.name, "secrets": [secret, *kept]}]})


async def run_what_fits(desk: Desk, request: CallerRequest, touchpoint: Touchpoint, event: Event | None) -> tuple[int, int]:
    """Run the event by what is saved now; how many that were, and how many more refused ones would fit."""
    which = desk.control.selectors({"id": event.id}) if event else None
    ran = (await desk.control.act("verify", which, dry_run=False, actor=request.user.actor)).changed if which else 0
    rest = desk.control.selectors({"touchpoint": touchpoint.name, "state": "refused"})
    more = await desk.control.act("verify", rest, dry_run=True, actor=request.user.actor)
    return ran, more.changed


def onward(touchpoint: Touchpoint, ran: int, more: int, back: str) -> Redirect:
    """Back, or on to what else fits; what was done is said."""
    said = t("provider.trial.saved_and_ran" if ran else "provider.trial.saved")
    if not more:
        return go(back, said=said)
    query = urlencode({"touchpoint": touchpoint.name, "state": "refused"})
    return go(f"/events/act/verify?{query}", said=f"{said} {t('provider.trial.more', n=more)}")


@post("/events/{event_id:str}/secret", include_in_schema=False)
async def secret_for_event(
    event_id: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest
) -> Template | Response[str] | Redirect:
    """Try a secret on this event; `deed=save` keeps it and runs the event, if it fits."""
    touchpoint, event = await _refused(desk, event_id)
    secret = data.get("secret", "").strip()
    tried = await try_secret(desk, touchpoint, event, secret)
    if data.get("deed") == "save" and tried.fits:
        problems = await save_secret(desk, request, touchpoint, secret, alone=data.get("alone") == "on")
        if not problems:
            return onward(touchpoint, *await run_what_fits(desk, request, touchpoint, event), f"/events/{event.id}")
        tried = Tried(fits=None, problems=tuple(problems))
    return await told(desk, request, tried, event.id)


async def told(desk: Desk, request: CallerRequest, tried: Tried, event_id: str) -> Template | Response[str]:
    """The result beside the form, or the event's page with it."""
    if is_inside(request):
        return Response(fragment("_secret_tried.html", tried=tried, times=desk.times), media_type="text/html")
    values: dict[str, Any] = await event_values(desk, event_id)
    return show(request, desk, "event.html", section="events", beside=False, **{**values, "tried": tried})


async def _refused(desk: Desk, event_id: str) -> tuple[Touchpoint, Event]:
    timeline = await desk.log().timeline(event_id[:100])
    event = timeline.listed.event if timeline else None
    living = desk.control.configuration().touchpoints
    touchpoint = next((one for one in living if event and one.id == event.touchpoint), None)
    if event is None or touchpoint is None or event.verdict is not Verdict.REFUSED:
        raise NotFound(problem("no_such_event", id=ascii(event_id[:60])[1:-1]))
    return touchpoint, event
