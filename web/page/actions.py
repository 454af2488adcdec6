"""What a person does to events: first it is said what will happen, then it is done once, then it is said what was done."""

from collections import OrderedDict
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template

from touchpoints.moment import rfc3339
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.filters import chosen_names, list_with
from web.page.render import fragment, go, is_inside, show
from web.page.signin import Form
from web.page.theme import inside
from web.page.words import t

ACTIONS = ("retry", "hold", "release", "give_up", "dismiss", "replay", "verify", "run_duplicate")
_GRAVE = ("give_up", "dismiss")
_MOST_OPEN = 1000


class Once:
    """Confirmations that were shown and not yet used, so that no deed is done twice by a second click; the oldest go first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, str] = OrderedDict()

    def issue(self, ticket: str, person: str) -> str:
        """A confirmation is shown to a person."""
        self._open[ticket] = person
        while len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return ticket

    def use(self, ticket: str, person: str) -> bool:
        """Whether it was shown to this person and is used for the first time."""
        return self._open.get(ticket) == person and self._open.pop(ticket) == person


@get("/events/act/{action:str}", include_in_schema=False)
async def confirm_page(action: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template | Response[str]:
    """What the deed would come to; nothing is changed."""
    return await _confirm(action, chosen_names(request.query_params), _back(request), desk, request)


@post("/events/act/{action:str}", include_in_schema=False)
async def act(action: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest) -> Template | Response[str] | Redirect:
    """Do it, once, and go back."""
    chosen, back = chosen_names(data), inside(data.get("back", "/events"))
    _known(action)
    if not _once(request).use(data.get("ticket", ""), request.user.name):
        return await _confirm(action, chosen, back, desk, request, stale=True)
    done = await desk.control.act(action, desk.control.selectors(chosen), dry_run=False, actor=request.user.actor)
    said = t(f"events.deed.{action}.done", n=done.changed) if done.changed else t("events.deed.nothing_done")
    return go(back, said=f"{said} {t('events.deed.left', n=done.skipped)}" if done.skipped else said)


async def _confirm(
    action: str, chosen: dict[str, str], back: str, desk: Desk, request: CallerRequest, *, stale: bool = False
) -> Template | Response[str]:
    _known(action)
    frozen = _frozen(chosen, desk)
    done = await desk.control.act(action, desk.control.selectors(frozen), dry_run=True, actor=request.user.actor)
    values: dict[str, Any] = {
        "action": action,
        "done": done,
        "grave": action in _GRAVE,
        "chosen": chosen,
        "fields": frozen,
        "ticket": _once(request).issue(desk.new_token(), request.user.name),
        "back": back,
        "stale": stale,
    }
    if is_inside(request):
        return Response(fragment("_actions_confirm.html", times=desk.times, **values), media_type="text/html")
    return show(request, desk, "actions.html", section="events", **values)


def _known(action: str) -> None:
    if action not in ACTIONS:
        raise NotFoundException


def _frozen(chosen: dict[str, str], desk: Desk) -> dict[str, str]:
    """The filter with its ends nailed down, so that what is done is what was shown, whatever arrives meanwhile."""
    if "id" in chosen:
        return chosen
    which = desk.control.selectors(chosen)
    since = {} if which.since is None else {"since": rfc3339(which.since)}
    return {**chosen, **since, "until": rfc3339(desk.now() if which.until is None else which.until)}


def _back(request: CallerRequest) -> str:
    """Where to go afterwards: the list one stands on, with the event open; else the event, or the filtered list."""
    chosen = chosen_names(request.query_params)
    event_id = chosen.get("id", "").partition("-")[0]
    if event_id and (here := list_with(request, event_id)):
        return here
    return inside(f"/events/{event_id}") if event_id else f"/events?{urlencode(chosen)}"


def _once(request: CallerRequest) -> Once:
    state = request.app.state
    if "once" not in state:
        state["once"] = Once()
    found: Once = state["once"]
    return found
