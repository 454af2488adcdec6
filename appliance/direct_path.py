"""The direct path: the public listener, kept in step with `[agent]` of the configuration."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from appliance.address import join_address
from appliance.ceilings import ceilings_here
from appliance.path_overlap import PathOverlap
from store.inbox import StoreUnavailable
from store.old_path import OldPath
from store.settings import AgentSettings
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError
from web.listener.certificate import Certificate
from web.listener.crowd import Ceilings
from web.listener.server import Listener
from web.listener.switchboard import Switchboard

log = structlog.get_logger()


class DirectPath:
    """The public listener. `state` is off, up or down; `error` says in words why it is down."""

    def __init__(
        self,
        app: Any,
        *,
        trusted: Callable[[str], bool],
        ceilings: Ceilings | None = None,
        overlap: PathOverlap | None = None,
    ) -> None:
        """`app` is the public ASGI app; `trusted` tells whether an address is a trusted proxy's.

        With an `overlap` the listener stays for a while after the mode gave this path up: `closing`.
        """

        def make(address: str, port: int, certificate: Certificate | None) -> Listener:
            fitting = ceilings_here(ceilings)
            return Listener(app, address, port, certificate=certificate, trusted=trusted, ceilings=fitting)

        self._switchboard = Switchboard(make)
        self._overlap = overlap
        self._settings = AgentSettings()
        self._certificate: Certificate | None = None
        self.error = ""
        self._changing = asyncio.Lock()  # a watch with yesterday's settings must not undo a change

    @property
    def state(self) -> str:
        """off: not configured; up; down: configured, and not there."""
        if not self._wanted(self._settings):
            return "off"
        return "down" if self.error or self._switchboard.listener is None else "up"

    @property
    def closing(self) -> OldPath | None:
        """Since when this is an old path, and when it was last used; None: it is not."""
        return self._overlap.closing if self._overlap else None

    def used(self) -> None:
        """A verified event came by it."""
        if self._overlap:
            self._overlap.used()

    async def close_now(self) -> None:
        """A person closes the old path."""
        if self._overlap and self.closing:
            async with self._changing:
                await self._overlap.close()
                await self._follow(self._settings)

    @property
    def address(self) -> str | None:
        """The bound address and port, as HOST:PORT."""
        listener = self._switchboard.listener
        return None if listener is None else join_address(*listener.address)

    @property
    def certificate_ends(self) -> Micros | None:
        """When the certificate expires; None without one."""
        return self._certificate.expires_at if self._certificate else None

    async def follow(self, settings: AgentSettings) -> None:
        """Listen as the settings say. Raises ProblemError when that cannot be; then the old listener stands as before."""
        async with self._changing:
            await self._follow(settings)

    async def start(self, settings: AgentSettings) -> None:
        """Listen if it can be; when it cannot, the process still runs, says why, and tries again in `watch`."""
        async with self._changing:
            await self._start(settings)

    async def watch(self) -> None:
        """Try again what could not be bound, rebind a dead accept loop, take up a renewed certificate."""
        async with self._changing:
            await self._watch()

    async def close(self, *, grace: float) -> None:
        """Accept nothing more, and let requests under way end."""
        async with self._changing:
            await self._switchboard.close(grace)

    async def _follow(self, settings: AgentSettings) -> None:
        if self._overlap:
            await self._overlap.follow(wanted=settings.mode in ("direct", "both"))
        if not self._wanted(settings):
            await self._switchboard.close(grace=5.0)
            self._settings, self._certificate, self.error = settings, None, ""
            return
        certificate = await asyncio.to_thread(_certificate, settings)
        await self._switchboard.switch(settings.listen, settings.port, certificate)
        self._settings, self._certificate, self.error = settings, certificate, ""

    async def _start(self, settings: AgentSettings) -> None:
        try:
            await self._follow(settings)
        except ProblemError as error:
            self._settings = settings
            self.error = str(error)
            log.error("listener_down", error=self.error)

    async def _watch(self) -> None:
        if self._overlap:
            await self._look_at_overlap(self._overlap)
        if not self._wanted(self._settings):
            return
        if self._switchboard.listener is None:
            await self._start(self._settings)
            return
        if self._certificate and (wrong := await asyncio.to_thread(self._certificate.reload_if_changed)):
            log.warning("certificate_kept", error=str(wrong))
        try:
            if await self._switchboard.watch():
                log.warning("listener_rebound", address=self.address)
            self.error = ""
        except ProblemError as error:
            self.error = str(error)
            log.error("listener_down", error=self.error)

    async def _look_at_overlap(self, overlap: PathOverlap) -> None:
        with suppress(StoreUnavailable):
            await overlap.write_down()
            if overlap.over(self._settings.switch_overlap):
                log.info("old_path_closed", path="direct")
                await overlap.close()
                await self._follow(self._settings)

    def _wanted(self, settings: AgentSettings) -> bool:
        return settings.mode in ("direct", "both") or self.closing is not None


def _certificate(settings: AgentSettings) -> Certificate | None:
    """Read anew each time, so that a pair that cannot be used is refused however often it is applied."""
    if not settings.tls_certificate:
        return None
    asked = Path(settings.tls_client_ca) if settings.tls_client_ca else None
    return Certificate(Path(settings.tls_certificate), Path(settings.tls_key), asked)
