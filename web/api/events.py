"""Events: list, show, fetch the body, act."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter

from store.log import Filter
from touchpoints.problem import ProblemError, problem
from web.api.desk import AtDesk, CallerRequest
from web.api.event_shape import event_shape, event_shown
from web.api.problems import REFUSALS, NotFound
from web.api.selection import Selection
from web.api.shapes import DoneShape, EventList, EventShown
from web.guard import operates

Action = Literal["hold", "release", "retry", "give_up", "dismiss", "replay", "verify", "run_duplicate"]


class Chosen(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which events or deliveries to act on; naming none of them takes `all`."""

    ids: list[str] = []
    reference: str | None = None
    key: str | None = None
    since: str | None = None
    until: str | None = None
    touchpoint: str | None = None
    destination: str | None = None
    state: str | None = None
    tests: bool = False
    all: bool = False
    dry_run: bool = False


class EventsController(Controller):
    """Received webhooks and what became of them."""

    path = "/api/v1/events"
    tags = ("events",)

    @get(summary="A page of events, newest first", responses=REFUSALS)
    async def events(
        self,
        desk: AtDesk,
        which: Selection,
        limit: Annotated[int, QueryParameter(ge=1, le=500, description="How many at most.")] = 50,
        before: Annotated[int, QueryParameter(ge=0, le=2**53, description="The `next_before` of the page before.")] = 2**53,
    ) -> EventList:
        """Filters are joined by "and"; a page deep down costs as little as the first."""
        listed = await desk.log().events(which, limit=limit, before=before)
        names = desk.names
        return {
            "events": [event_shape(one, names) for one in listed],
            "next_before": listed[-1].seq if len(listed) == limit else None,
        }

    @get("/{event_id:str}", summary="One event and everything that happened to it", responses=REFUSALS)
    async def show(self, event_id: FromPath[str], desk: AtDesk) -> EventShown:
        """By the id of the event or of one of its deliveries."""
        log = desk.log()
        timeline = await log.timeline(event_id)
        if timeline is None:
            raise NotFound(problem("no_such_event", id=ascii(event_id[:60])[1:-1]))
        body = await log.body(timeline.listed.event.id)
        return event_shown(timeline, body, desk.control.configuration())

    @get("/{event_id:str}/body", summary="The body, byte for byte", media_type="application/octet-stream", responses=REFUSALS)
    async def body(self, event_id: FromPath[str], desk: AtDesk) -> Response[bytes]:
        """Always as a file of no type: what a stranger sent is never run by a browser."""
        body = await desk.log().body(event_id)
        if body is None:
            raise NotFound(problem("no_such_body", id=ascii(event_id[:60])[1:-1]))
        attachment = {"content-disposition": 'attachment; filename="body.bin"'}
        return Response(body, media_type="application/octet-stream", headers=attachment)

    @post("/act/{action:str}", summary="Act on events or deliveries", guards=[operates], status_code=200, responses=REFUSALS)
    async def act(
        self,
        action: Annotated[Action, PathParameter(description="What to do.")],
        data: JSONBody[Chosen],
        desk: AtDesk,
        request: CallerRequest,
    ) -> DoneShape:
        """Changes up to 5,000 at a time. `dry_run` tells what would be done."""
        which = _filter(data, desk)
        done = await desk.control.act(action, which, dry_run=data.dry_run, actor=request.user.actor)
        return {
            "action": action,
            "dry_run": data.dry_run,
            "matched": done.matched,
            "changed": done.changed,
            "skipped": done.skipped,
            "ids": list(done.ids),
            "more": done.more,
        }


def _filter(data: Chosen, desk: AtDesk) -> Filter:
    words = ("reference", "key", "since", "until", "touchpoint", "destination", "state")
    named = {"id": ",".join(data.ids)} | {word: getattr(data, word) for word in words}
    if not data.all and not any(named.values()):
        raise ProblemError(problem("nothing_chosen"))
    if data.tests:
        named["tests"] = "true"
    return desk.control.selectors({name: value for name, value in named.items() if value})
