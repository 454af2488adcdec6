"""The status: what `hookport status` shows, in the shape scripts rely on."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from appliance import VERSION
from appliance.direct_path import DirectPath
from appliance.hops.drain import Drain
from appliance.hops.lanes import Lanes
from appliance.needs import Need, destination_needs, touchpoint_needs
from appliance.proxy_side import ProxySide
from store.inbox import StoreUnavailable
from store.log import Backlog, Log
from store.settings import Configuration
from touchpoints.moment import DAY, SECOND, Micros, rfc3339
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
        proxy: ProxySide,
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
        self._proxy = proxy
        self._drain = drain
        self._lanes = lanes
        self._warnings = warnings
        self._now = now

    async def needs(self) -> tuple[list[Need], bool]:
        """What needs a person, and whether the events file could be asked."""
        configuration = self._configuration()
        backlog, needs = await self._stored(configuration)
        running = self._page() is not None
        return [*await self._of_process(configuration, running=running), *needs], backlog is not None

    async def read(self) -> Json:
        """The object of `status --json`."""
        configuration = self._configuration()
        running = self._page() is not None
        backlog, needs = await self._stored(configuration)
        needs = [*await self._of_process(configuration, running=running), *needs]
        return {
            "version": VERSION,
            "role": "agent",
            "running": running,
            "ok": running and self._paths_up(configuration.agent.mode) and not needs,
            "mode": configuration.agent.mode,
            "data_dir": str(self._data_dir),
            "page": self._page(),
            "direct": {
                "state": self._direct.state,
                "address": self._direct.address,
                "url": configuration.agent.host_public_url or None,
                "error": self._direct.error or None,
            },
            "proxy": self._through_proxy(configuration, running=running),
            "backlog": self._backlog(backlog),
            "needs_you": [need.as_json() for need in needs],
        }

    def _paths_up(self, mode: str | None) -> bool:
        """Whether every way in that the mode wants is up."""
        direct = mode not in ("direct", "both") or self._direct.state == "up"
        return direct and (mode not in ("proxy", "both") or self._proxy.up)

    def _through_proxy(self, configuration: Configuration, *, running: bool) -> Json:
        standing = self._proxy.standing()
        down = not running and standing.state not in ("off", "waiting_key")
        heard = bool(standing.last_poll_at)
        return {
            "state": "down" if down else standing.state,
            "url": standing.url or configuration.proxy.url or None,
            "domain": standing.domain or configuration.proxy.domain or None,
            "last_poll_at": rfc3339(standing.last_poll_at) if heard else None,
            "waiting": standing.backlog.events if heard else None,
            "agent": standing.agent_name or None,
            "holder": standing.holder or None,
            "error": str(standing.problem) if standing.problem else None,
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

    async def _of_process(self, configuration: Configuration, *, running: bool) -> list[Need]:
        needs = list(self._warnings())
        if configuration.agent.mode is None:
            needs.append(Need(problem=problem("mode_not_chosen")))
        needs += await self._proxy.needs()
        if running and self._direct.error:
            needs.append(Need(problem=problem("listener_down", error=self._direct.error)))
        drain = self._drain()
        if drain is not None and drain.stranded:
            needs.append(Need(problem=problem("stranded_events", count=drain.stranded), count=drain.stranded))
        return needs
