"""Effects: what a handshake's answer waits for is done, and only then it is given; the last one is remembered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import structlog

from appliance import VERSION
from appliance.knocks import Knocks
from store.configuration import Applied
from store.inbox import StoreUnavailable
from touchpoints.problem import ProblemError
from touchpoints.request import Answer, Request
from touchpoints.touchpoint import Touchpoint

log = structlog.get_logger()

VISIT_LASTS = 5.0  # seconds, in all
NOT_NOW = Answer(status=503, headers=((b"retry-after", b"30"),))
_TAKEN = Answer(status=403)
_NAMED = {"user-agent": f"Hookport/{VERSION}"}


class Effects:
    """Captures secrets, and visits the addresses of confirmations."""

    def __init__(
        self,
        *,
        capture: Callable[[int, str, str], Awaitable[Applied]],
        connect: Callable[[str], httpx.AsyncBaseTransport],
        lasts: float = VISIT_LASTS,
    ) -> None:
        """`capture` stores a secret by the touchpoint's id, with the sender's address; `connect` opens a transport."""
        self._capture_secret = capture
        self._connect = connect
        self._lasts = lasts
        self.knocks = Knocks()

    async def perform(self, touchpoint: Touchpoint, request: Request, answer: Answer) -> Answer:
        """The answer once its effect is there; 403 for a secret that came too late, 503 for what failed."""
        given = await self._performed(touchpoint, request, answer)
        self.knocks.note(touchpoint, request, given.status)
        return given

    async def _performed(self, touchpoint: Touchpoint, request: Request, answer: Answer) -> Answer:
        if answer.secret and (instead := await self._capture(touchpoint, request, answer.secret)):
            return instead
        if answer.visit and not await self._visit(touchpoint, answer.visit):
            return NOT_NOW
        return replace(answer, secret="", visit="")

    async def _capture(self, touchpoint: Touchpoint, request: Request, secret: str) -> Answer | None:
        try:
            applied = await self._capture_secret(touchpoint.id, secret, request.remote)
        except (StoreUnavailable, ProblemError) as error:
            log.error("secret_not_captured", touchpoint=touchpoint.name, why=str(error))
            return NOT_NOW
        if applied.problems:
            log.warning("secret_refused", touchpoint=touchpoint.name, sender=request.remote, why=applied.problems[0].code)
            return _TAKEN
        log.info("secret_captured", touchpoint=touchpoint.name, sender=request.remote)
        return None

    async def _visit(self, touchpoint: Touchpoint, url: str) -> bool:
        """Whether the address answered 2xx. No redirect is followed, and what it says is not read."""
        try:
            async with (
                asyncio.timeout(self._lasts),
                httpx.AsyncClient(transport=self._connect(url), headers=_NAMED) as client,
                client.stream("GET", url) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            log.warning("confirmation_failed", touchpoint=touchpoint.name, why=type(error).__name__)
            return False
        log.info("confirmation_visited", touchpoint=touchpoint.name, status=status)
        return 200 <= status < 300
