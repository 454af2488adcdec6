"""The renewal of the key by which an agent proves itself to its proxy."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from appliance.clock import Clock
from appliance.hops.pull_standing import PullStanding
from store.inbox import StoreUnavailable
from store.pairing import Pairing, PairingStore
from store.remote import Remote
from store.remote_errors import RemoteError
from touchpoints.moment import DAY, Micros
from touchpoints.problem import Problem
from touchpoints.pull.key import Chance, new_signing_key

KEY_LIVES: Micros = 90 * DAY


class KeyRenewal:
    """A fresh signing key now and then. It is kept before it is used: at its first use the old one dies.

    Kept all the same, the old one is tried where the proxy does not know this agent: put back to before the renewal, it knows
    no other. Then there is a fresh one at once.
    """

    def __init__(
        self,
        remote: Remote,
        pairings: PairingStore,
        pairing: Callable[[], Pairing],
        *,
        renewed: Callable[[Pairing], None],
        clock: Clock,
        chance: Chance,
    ) -> None:
        """`renewed` is told of the pairing with its fresh key, once it is stored."""
        self._remote = remote
        self._pairings = pairings
        self._pairing = pairing
        self._renewed = renewed
        self._clock = clock
        self._chance = chance
        self._former = False  # the key before is in use
        self._refusal: Problem | None = None  # what the last change of keys answered to

    async def look(self, standing: PullStanding) -> bool:
        """Renew what is due, change keys where this one is refused; whether the other is to be tried at once."""
        pairing, now = self._pairing(), self._clock.now()
        if standing.state == "connected" and (self._former or now - pairing.key_renewed_at >= KEY_LIVES):
            await self._renew(pairing, now)
        elif pairing.former_key and _not_known(standing) and standing.problem is not self._refusal:
            self._refusal, self._former = standing.problem, not self._former
            self._remote.use_key(self._in_use(pairing))
            return self._former  # where that is refused, too, it rests as it would have
        return False

    async def _renew(self, pairing: Pairing, now: Micros) -> None:
        fresh = replace(
            pairing, signing_key=new_signing_key(self._chance), key_renewed_at=now, former_key=self._in_use(pairing)
        )
        with suppress(RemoteError, StoreUnavailable):
            await self._remote.renew(fresh.signing_key)
            await self._pairings.save(fresh, actor="renewal", now=now)
            self._former = False
            self._remote.use_key(fresh.signing_key)
            self._renewed(fresh)

    def _in_use(self, pairing: Pairing) -> bytes:
        return pairing.former_key if self._former else pairing.signing_key


def _not_known(standing: PullStanding) -> bool:
    return standing.problem is not None and standing.problem.code == "proxy_not_known"
