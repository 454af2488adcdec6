"""The bells: rung when something came for an organisation, so that a waiting pull is answered at once."""

import asyncio


class Bells:
    """Whoever waits for an organisation hears its bell. A ring nobody waits for is remembered by nobody: callers look first."""

    def __init__(self) -> None:
        self._waiting: dict[int, dict[asyncio.Future[None], bool]] = {}  # whether it wants to hear of events

    def ring(self, organisation: int) -> None:
        """An event or an ask came: wake who would take it."""
        waiting = self._waiting.get(organisation)
        for one in [one for one, events in waiting.items() if events] if waiting else ():
            self._wake(organisation, one)

    def call(self, organisation: int) -> None:
        """Who may pull has changed: wake everybody, those that only stand by as well."""
        for one in list(self._waiting.get(organisation, ())):
            self._wake(organisation, one)

    def call_all(self) -> None:
        """Wake everybody of every organisation: the proxy is closing."""
        for organisation in list(self._waiting):
            self.call(organisation)

    def hear(self, organisation: int, *, events: bool = True) -> asyncio.Future[None]:
        """What the next ring fulfils. Take it before looking, so that nothing is missed between looking and waiting.

        Without `events` only a call does: a busy organisation would keep its standby agents awake for nothing.
        """
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(organisation, {})[waiting] = events
        return waiting

    def leave(self, organisation: int, waiting: asyncio.Future[None]) -> None:
        """Stop listening."""
        waiting.cancel()
        self._forget(organisation, waiting)

    async def wait(self, waiting: asyncio.Future[None], seconds: float, gone: asyncio.Future[None]) -> bool:
        """Wait for a ring, up to so long and while the caller is there; whether it rang."""
        await asyncio.wait((waiting, gone), timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        return waiting.done()

    def _wake(self, organisation: int, waiting: asyncio.Future[None]) -> None:
        if not waiting.done():
            waiting.set_result(None)
        self._forget(organisation, waiting)

    def _forget(self, organisation: int, waiting: asyncio.Future[None]) -> None:
        if (others := self._waiting.get(organisation)) is not None:
            others.pop(waiting, None)
            if not others:
                del self._waiting[organisation]
