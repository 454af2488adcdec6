"""The status: what `hookport status` shows, in the shape scripts rely on."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from appliance import VERSION
from appliance.direct_path import DirectPath
from appliance.hops.drain import Drain
from appliance.hops.lanes import Lanes
from appliance.needs import Need, destination_needs, touchpoint_needs
from store.inbox import StoreUnavailable
from store.log import Backlog, Log
from store.settings import Configuration
from touchpoints.moment import DAY, SECOND, Micros
from touchpoints.problem import problem

Json = dict[str, Any]


class Status:
    """Gathers the status of an opened process."""

    def __init__(
        self,
        *,
        data_dir: Path,
        page: Callable[[], str | None],
        configuration: Callable[[], Configuration],
        log: Callable[[], Log | None],
        direct: DirectPath,
        drain: Callable[[], Drain | None],
        lanes: Callable[[], Lanes | None],
        warnings: Callable[[], Iterable[Need]],
        now: Callable[[], Micros],
    ) -> None:
        """`page` is None for a stopped agent's folder; `log`, `drain` and `lanes` while the events file cannot be used."""
        self._data_dir = data_dir
        self._page = page
        self._configuration = configuration
        self._log = log
        self._direct = direct
        self._drain = drain
        self._lanes = lanes
        self._warnings = warnings
        self._now = now

    async def needs(self) -> tuple[list[Need], bool]:
        """What needs a person, and whether the events file could be asked."""
        configuration = self._configuration()
        backlog, needs = await self._stored(configuration)
        running = self._page() is not None
        return [*self._of_process(configuration, running=running), *needs], backlog is not None

    async def read(self) -> Json:
        """The object of `status --json`."""
        configuration = self._configuration()
        running = self._page() is not None
        backlog, needs = await self._stored(configuration)
        needs = [*self._of_process(configuration, running=running), *needs]
        path_up = self._direct.state == "up" or configuration.agent.mode is None
        return {
            "version": VERSION,
            "role": "agent",
            "running": running,
            "ok": running and path_up and not needs,
            "mode": configuration.agent.mode,
            "data_dir": str(self._data_dir),
            "page": self._page(),
            "direct": {
                "state": self._direct.state,
                "address": self._direct.address,
                "url": configuration.agent.host_public_url or None,
                "error": self._direct.error or None,
            },
            "proxy": {
                "state": "off",
                "url": configuration.proxy.url or None,
                "domain": configuration.proxy.domain or None,
                "last_poll_at": None,
                "waiting": None,
            },
            "backlog": self._backlog(backlog),
            "needs_you": [need.as_json() for need in needs],
        }

    def _backlog(self, backlog: Backlog | None) -> Json:
        if backlog is None:
            return {"inbox": None, "outbox": None, "held": None, "oldest_seconds": None}
        oldest = None if backlog.oldest_at is None else max(0, (self._now() - backlog.oldest_at) // SECOND)
        return {"inbox": backlog.inbox, "outbox": backlog.outbox, "held": backlog.held, "oldest_seconds": oldest}

    async def _stored(self, configuration: Configuration) -> tuple[Backlog | None, list[Need]]:
        """What the events file says; a status is wanted most when that cannot be read."""
        log, lanes = self._log(), self._lanes()
        if log is None:
            return None, []
        try:
            backlog = await log.backlog()
            waiting = await log.destinations()
            refused = await log.refusals(since=self._now() - DAY) if backlog.refused else {}
        except StoreUnavailable as error:
            return None, [Need(problem=problem("events_unreadable", why=error.code))]
        needs = destination_needs(configuration, waiting, lanes.health() if lanes else {})
        return backlog, [*needs, *touchpoint_needs(configuration, refused)]

    def _of_process(self, configuration: Configuration, *, running: bool) -> list[Need]:
        needs = list(self._warnings())
        if configuration.agent.mode is None:
            needs.append(Need(problem=problem("mode_not_chosen")))
        elif configuration.agent.mode != "direct":
            needs.append(Need(problem=problem("proxy_not_yet")))
        if running and self._direct.error:
            needs.append(Need(problem=problem("listener_down", error=self._direct.error)))
        drain = self._drain()
        if drain is not None and drain.stranded:
            needs.append(Need(problem=problem("stranded_events", count=drain.stranded), count=drain.stranded))
        return needs
