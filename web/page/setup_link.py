"""The setup link: whoever holds it may set a password. One lives at a time, for half an hour, and opening it spends nothing."""

import hmac
from collections.abc import Callable

from touchpoints.moment import MINUTE, Micros
from web.guard_token import token_digest

LIVES: Micros = 30 * MINUTE


class SetupLink:
    """The one link of this process. Only its digest is kept."""

    def __init__(self, *, now: Callable[[], Micros], new_token: Callable[[], str]) -> None:
        self._now = now
        self._new_token = new_token
        self._digest: bytes | None = None
        self._ends: Micros = 0

    def renew(self) -> str:
        """The path of a fresh link; the older one is dead from now on."""
        token = self._new_token()
        self._digest, self._ends = token_digest(token), self._now() + LIVES
        return f"/setup/{token}"

    def opens(self, token: str) -> bool:
        """Whether the link lives."""
        return self._digest is not None and self._now() < self._ends and hmac.compare_digest(self._digest, token_digest(token))

    def spend(self, token: str) -> bool:
        """Use it up; whether it lived. Of two at the same moment only one gets True."""
        lived = self.opens(token)
        if lived:
            self._digest = None
        return lived
