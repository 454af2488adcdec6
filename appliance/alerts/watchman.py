"""The watchman: what needs a person, gathered from everywhere, told by the alerts; and who has been quiet."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from appliance.alerts.alerts import Alerts
from appliance.alerts.quiet import Quiet
from appliance.alerts.standing import Outlook
from appliance.clock import Clock
from appliance.house import Chore
from appliance.needs import Need, quiet_needs
from appliance.tasks import Tasks
from store.alerts import AlertMemory
from store.inbox import StoreUnavailable
from store.settings import AlertSettings, Configuration
from store.sqlite.events_file import EventsFile
from touchpoints.moment import Micros

log = structlog.get_logger()

Json = dict[str, Any]


class Watchman:
    """Alerts and quiet, and the chores that keep them."""

    def __init__(
        self,
        *,
        memory: AlertMemory,
        configuration: Callable[[], Configuration],
        status: Callable[[], Awaitable[tuple[Sequence[Need], bool]]],
        events: Callable[[], EventsFile | None],
        page: Callable[[], str | None],
        environment: Mapping[str, str],
        clock: Clock,
        calm: Callable[[], bool],
        new_id: Callable[[Micros], str],
        tasks: Tasks,
    ) -> None:
        """`status` gives all needs, those named here among them, and whether the events file could be asked."""
        self._status = status
        self._events = events
        self._quiet = Quiet(configuration=configuration, now=clock.now, calm=calm)
        self._alerts = Alerts(
            memory=memory,
            configuration=configuration,
            outlook=self._outlook,
            page=page,
            environment=environment,
            clock=clock,
            new_id=new_id,
            tasks=tasks,
        )

    @property
    def chores(self) -> Sequence[Chore]:
        """What is to be run, and how often."""
        return ((2.0, self._alerts.look, "alerts"), (30.0, self._look_for_quiet, "quiet"))

    def needs(self) -> Iterable[Need]:
        """Touchpoints that have been quiet for longer than usual, and channels that cannot send."""
        yield from quiet_needs(self._quiet.found)
        yield from self._alerts.needs()

    async def test(self, settings: AlertSettings) -> Json:
        """See Alerts.test."""
        return await self._alerts.test(settings)

    def shown(self) -> Json:
        """See Alerts.shown."""
        return self._alerts.shown()

    async def _outlook(self) -> Outlook:
        needs, whole = await self._status()
        return Outlook(needs=needs, whole=whole, unsure=frozenset(("nothing_came", name, "") for name in self._quiet.unsure))

    async def _look_for_quiet(self) -> None:
        events = self._events()
        if events is None:
            return
        try:
            await self._quiet.look(await events.log.last_events(), events.arrivals)
        except StoreUnavailable as error:
            log.debug("quiet_not_looked_for", code=error.code)
