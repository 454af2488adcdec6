"""The lookout of the proxy side: what only the events file and the proxy know, looked at now and then."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import structlog

from appliance.proxy_path import ProxyPath
from store.dock import Berth, Dock
from store.inbox import StoreUnavailable
from store.pairing import PairingStore
from store.settings import Configuration
from touchpoints.problem import ProblemError
from touchpoints.pull.call import State

log = structlog.get_logger()


class ProxyLookout:
    """As of the last look."""

    def __init__(
        self,
        path: ProxyPath,
        *,
        pairings: PairingStore,
        configuration: Callable[[], Configuration],
        dock: Callable[[], Dock | None],
        state: Callable[[], Awaitable[State]],
    ) -> None:
        """`state` asks the proxy how things stand there."""
        self.unsettled = 0  # pulled events that are not settled here
        self.left = 0  # see Standing
        self._behind: tuple[int, int] | None = None
        self._path = path
        self._pairings = pairings
        self._configuration = configuration
        self._dock = dock
        self._state = state

    @property
    def behind(self) -> tuple[int, int] | None:
        """What a restored agent lacks: the last number that it has, and the last that the proxy gave it."""
        return self._behind if self._path.standing.behind else None

    def forget_behind(self) -> None:
        """It was queued again."""
        self._behind = self._path.standing.behind = None

    def forget(self) -> None:
        """The pairing is no more."""
        self._behind, self.unsettled = None, 0

    async def look(self) -> None:
        """Look again; what cannot be looked at now stays as it was."""
        try:
            await self._count_unsettled()
            await self.left_berths()
            await self._look_behind()
        except StoreUnavailable as error:
            log.debug("proxy_lookout_waits", code=error.code)
        except ProblemError as error:
            log.info("proxy_not_asked", why=str(error))

    async def left_berths(self) -> list[Berth]:
        """What was pulled under another pairing than that of now: its proxy is not asked any more. Raises StoreUnavailable."""
        dock, pairing = self._dock(), self._path.pairing
        found = [berth for berth in await dock.berths() if pairing is None or berth.proxy != pairing.id] if dock else []
        self.left = sum(berth.waiting for berth in found)
        return found

    async def unverified(self) -> Mapping[str, int]:
        """How many events wait for a touchpoint that is not here, by its name; "" for those of no name that can be.

        Raises StoreUnavailable.
        """
        dock = self._dock()
        kept = await dock.lacking() if dock else {}
        here = {one.id for one in self._configuration().touchpoints}
        missing = {number: count for number, count in kept.items() if number not in here}
        names = await self._pairings.reserved_names() if missing else {}
        found: Counter[str] = Counter()
        for number, count in missing.items():
            found[names.get(number, "")] += count
        return found

    async def _count_unsettled(self) -> None:
        dock, pairing = self._dock(), self._path.pairing
        if dock is not None and pairing is not None:
            _, self.unsettled = await dock.settled(pairing.id, await dock.incarnation(pairing.id))

    async def _look_behind(self) -> None:
        """An agent that lacks what it had was restored; where others ever pulled, it is theirs that it lacks."""
        behind, pairing = self._path.standing.behind, self._path.pairing
        if behind is None or pairing is None or self._behind == behind:
            return
        if all(one.id == pairing.agent_id for one in (await self._state()).agents):
            self._behind = behind
        else:
            self.forget_behind()
