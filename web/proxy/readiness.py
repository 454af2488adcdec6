"""Readiness: an agent is ready once it has opened what only the organisation's private key opens, not because it says so."""

import hmac
from collections.abc import Callable

from store.organisations import PairedAgent
from touchpoints.moment import MINUTE, Micros
from touchpoints.pull.key import KEY, Chance
from touchpoints.pull.sealing import wrap_challenge
from touchpoints.pull.text import parts

SPAN: Micros = 5 * MINUTE  # a challenge is good in the span that it was made in, and in the next one


class Readiness:
    """Makes challenges and judges what was opened. It keeps nothing: what a challenge holds is reckoned again from a key that
    is this process's alone, so that many who ask cost no memory, and one who asks twice spoils nothing.
    """

    def __init__(self, *, chance: Chance, steady: Callable[[], Micros]) -> None:
        """`steady` is a clock that never jumps."""
        self._key = chance(KEY)
        self._steady = steady

    def challenge(self, agent: PairedAgent, sealing_key: bytes) -> bytes:
        """For this agent alone, sealed for its organisation (80 bytes). Raises SealBroken for a bad `sealing_key`."""
        secret = self._secret(agent, sealing_key, self._steady() // SPAN)
        return wrap_challenge(secret, sealing_key, organisation=agent.organisation, agent=agent.id)

    def proves(self, agent: PairedAgent, sealing_key: bytes, secret: bytes) -> bool:
        """Whether `secret` is what a challenge for this agent held, less than two spans ago."""
        span = self._steady() // SPAN
        return any(hmac.compare_digest(secret, self._secret(agent, sealing_key, one)) for one in (span, span - 1))

    def _secret(self, agent: PairedAgent, sealing_key: bytes, span: int) -> bytes:
        bound = parts("readiness", str(agent.organisation), agent.id, sealing_key, str(span))
        return hmac.digest(self._key, bound, "sha256")
