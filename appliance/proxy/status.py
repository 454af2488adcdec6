"""The proxy's status: what `hookport status` shows, in the shape scripts rely on, whichever role runs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import VERSION
from appliance.direct_path import DirectPath
from appliance.proxy.needs import OperatorNeed, organisation_needs
from appliance.proxy.outlook import Outlook
from store.inbox import StoreUnavailable
from store.server_settings import ServerSettings
from touchpoints.moment import SECOND, Micros
from touchpoints.problem import problem
from web.operator.view import OrganisationView

Json = dict[str, Any]

# A proxy has no way through another one; the keys are there all the same, so that what reads an agent's reads it.
_NO_PROXY: Json = {"state": "off", **dict.fromkeys(("url", "domain", "last_poll_at", "waiting", "agent", "holder", "error"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyStatus:
    """Gathers the status of an opened process."""

    data_dir: Path
    page: Callable[[], str | None]  # None for a stopped proxy's folder
    settings: Callable[[], ServerSettings]
    direct: DirectPath
    outlook: Outlook
    needs: Callable[[], Iterable[OperatorNeed]]  # beside what the organisations tell
    usable: Callable[[], bool]  # whether the queue's file can be used
    now: Callable[[], Micros]

    async def read(self) -> Json:
        """The object of `status --json`."""
        settings, running = self.settings(), self.page() is not None
        views, needs = await self._looked()
        up = self.direct.state == "up" or not settings.public_url
        listener = {
            "state": self.direct.state,
            "address": self.direct.address,
            "url": settings.public_url or None,
            "error": self.direct.error or None,
        }
        waiting = sum(view.backlog.events for view in views)
        oldest = min((view.backlog.oldest for view in views if view.backlog.events), default=None)
        readable = self.usable()
        return {
            "version": VERSION,
            "role": "proxy",
            "running": running,
            "ok": running and up and not needs,
            "mode": None,
            "data_dir": str(self.data_dir),
            "page": self.page(),
            "direct": listener,
            "proxy": _NO_PROXY,
            "backlog": {
                "inbox": waiting if readable else None,
                "outbox": 0 if readable else None,
                "held": 0 if readable else None,
                "oldest_seconds": None if oldest is None else max(0, (self.now() - oldest) // SECOND),
            },
            "queue": {
                "events": waiting if readable else None,
                "bytes": sum(view.backlog.bytes for view in views) if readable else None,
                "organisations": len(views),
                "connected": sum(view.state == "connected" for view in views),
            },
            "needs_you": [need.as_json() for need in needs],
        }

    async def _looked(self) -> tuple[Sequence[OrganisationView], list[OperatorNeed]]:
        """A status is wanted most when something cannot be read."""
        needs = list(self.needs())
        try:
            views = await self.outlook.all()
        except StoreUnavailable as error:
            return (), [*needs, OperatorNeed(problem=problem("events_unreadable", why=error.code))]
        now = self.now()
        return views, [*needs, *(need for view in views for need in organisation_needs(view, now=now))]
