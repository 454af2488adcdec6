"""A channel: one way alerts go, what it told, and how it fares. While it fails nothing piles up: it tells what stands then."""

from collections.abc import Awaitable, Callable

import structlog

from appliance.alerts.message import Message
from appliance.alerts.standing import Due, Known, Outlook, after, due, observe
from appliance.alerts.unsent import Unsent
from store.alerts import AlertMemory, Key
from store.inbox import StoreUnavailable
from store.settings import AlertSettings
from touchpoints.moment import MINUTE, SECOND, Micros

log = structlog.get_logger()

FIRST_WAIT = 5 * SECOND
LONGEST_WAIT = 10 * MINUTE

Send = Callable[[Message, AlertSettings], Awaitable[str]]


class Channel:
    """E-mail, or a webhook. `error` says why it cannot send just now; `sent_at` is when it last did."""

    def __init__(self, name: str, *, memory: AlertMemory, send: Send, compose: Callable[[Due], Message]) -> None:
        self.name = name
        self.error = ""
        self.sent_at: Micros | None = None
        self.proved = False  # whether its last message, of this process and these settings, went out
        self.known: Known = {}
        self._memory = memory
        self._send = send
        self._compose = compose
        self._recalled = False
        self._failures = 0
        self._not_before: Micros = 0  # of the steady clock

    @property
    def failure(self) -> Key:
        """The need that stands while it fails."""
        return f"alert_{self.name}_failed", "", ""

    def begin_anew(self) -> None:
        """Its settings changed: what failed may work now."""
        self.error, self.proved, self._failures, self._not_before = "", False, 0, 0

    def prove(self) -> None:
        """It was tried, and works."""
        self.begin_anew()
        self.proved = True

    async def forget(self) -> None:
        """It is set up no longer: what it told is nobody's business any more."""
        self.prove()
        if self.known or not self._recalled:
            self.known, self._recalled = {}, True
            await self._keep()

    async def observe(self, outlook: Outlook, settings: AlertSettings, *, now: Micros) -> None:
        """Take in what needs a person. It doesn't tell of its own failure: whoever could read that would have the rest."""
        if not self._recalled:
            try:
                told = await self._memory.recall(self.name)
            except StoreUnavailable as error:
                log.debug("alerts_not_recalled", code=error.code)
                return
            self.known, self._recalled = {one.key: one for one in told}, True
        kinds = settings.kinds - {self.failure[0]}
        self.known = observe(self.known, outlook, kinds=kinds, group=settings.group, now=now)

    def ripe(self, settings: AlertSettings, *, now: Micros, steady: Micros) -> Due | None:
        """What is to be told now."""
        return due(self.known, settings, now=now) if self._recalled and steady >= self._not_before else None

    async def tell(
        self, said: Due, settings: AlertSettings, *, now: Callable[[], Micros], steady: Callable[[], Micros]
    ) -> None:
        """Send one message, and keep what was told."""
        try:
            self.error = await self._send(self._compose(said), settings)
        except Unsent as error:
            self._failed(error, steady())
            return
        except Exception as error:  # whatever it is, it must not be tried again every two seconds
            log.exception("alert_failed", channel=self.name)
            self._failed(Unsent(type(error).__name__, lasting=True), steady())
            return
        self.proved, self._failures, self.sent_at = True, 0, now()
        log.info("alert_sent", channel=self.name, news=len(said.news), again=len(said.again), mended=len(said.mended))
        self.known = after(self.known, said, now=now())
        await self._keep()

    def _failed(self, error: Unsent, steady: Micros) -> None:
        self.error, self.proved = error.error, False
        wait = LONGEST_WAIT if error.lasting else min(FIRST_WAIT << min(self._failures, 16), LONGEST_WAIT)
        self._failures += 1
        self._not_before = steady + max(wait, error.wait)
        log.warning("alert_not_sent", channel=self.name, error=error.error)

    async def _keep(self) -> None:
        try:
            await self._memory.keep(self.name, [one for one in self.known.values() if one.told_at is not None])
        except StoreUnavailable as error:
            log.warning("alerts_not_kept", channel=self.name, code=error.code)
