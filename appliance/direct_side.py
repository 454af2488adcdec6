"""The direct side of an agent: what senders post to its own listener, as it becomes events here."""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.clock import Clock
from appliance.direct_path import DirectPath
from appliance.floor import Floor
from appliance.ids import new_id
from appliance.opening import Opened
from appliance.path_overlap import PathOverlap
from appliance.present import Present
from appliance.refusals import Refusals
from appliance.statistics import Tally
from appliance.works import Works
from store.inbox import Inbox
from touchpoints.event import Event
from web.listener.app import make_app
from web.listener.intake import Intake, Perform
from web.listener.judging import KeySource


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectSurroundings:
    """What the direct side needs of the agent around it."""

    present: Present
    works: Callable[[], Works | None]
    floor: Floor
    tally: Tally
    refusals: Refusals
    perform: Perform
    published: KeySource
    clock: Clock


class DirectSide:
    """The public listener with its app. `path` is the way in."""

    def __init__(self, opened: Opened, around: DirectSurroundings) -> None:
        self._around = around
        self._late = opened.late
        overlap = PathOverlap("direct", opened.old_paths, now=around.clock.now)
        self.path = DirectPath(make_app(self._intake()), trusted=around.present.trusts, overlap=overlap)

    def _intake(self) -> Intake:
        around = self._around
        return Intake(
            directory=lambda: around.present.directory,
            inbox=self._inbox,
            limits=lambda: around.present.configuration.limits,
            trusted_proxies=lambda: around.present.trusted,
            budget=around.present.arriving,
            now=around.clock.now,
            new_id=new_id,
            arrived=self._arrived,
            refused=self._refused,
            migrating=lambda: self._late.migrating,
            perform=around.perform,
            published=around.published,
        )

    def _inbox(self) -> Inbox | None:
        works = self._around.works()
        return None if works is None or self._around.floor.trouble is not None else works.events.inbox

    def _arrived(self) -> None:
        self._around.tally.received()
        self.path.used()
        if works := self._around.works():
            works.drain.pace.wake()

    def _refused(self, event: Event, body: bytes) -> None:
        self._around.tally.refused(event)
        self._around.refusals.note(event, body)
