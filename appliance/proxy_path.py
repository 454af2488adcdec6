"""The proxy path: pulling from a hosted proxy, kept in step with `[agent]` of the configuration and with the pairing."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog

from appliance.hops.pull_judge import sender_url
from appliance.hops.pull_standing import PullStanding
from appliance.path_overlap import PathOverlap
from appliance.proxy_link import LOOK_EVERY, ProxyLink, ProxyNeeds
from appliance.until_first import until_first
from store.inbox import StoreUnavailable
from store.old_path import OldPath
from store.pairing import Pairing
from store.remote import Remote
from store.remote_errors import RemoteError
from touchpoints.problem import Problem, ProblemError, problem

log = structlog.get_logger()

NAME = "proxy path"


class ProxyPath:
    """`state`: off, connecting, connected, standby, waiting_key, paused, down, revoked; `problem` says why it is so."""

    def __init__(self, needs: ProxyNeeds) -> None:
        self.pairing: Pairing | None = None
        self._needs = needs
        self._overlap = PathOverlap("proxy", needs.old_paths, now=needs.clock.now)
        self._link: ProxyLink | None = None
        self._trouble: Problem | None = None
        self._changed = asyncio.Event()
        self._doing: tuple[Pairing | None, bool] = (None, False)

    @property
    def state(self) -> str:
        """How the way in stands."""
        if self.pairing is None or not self._wanted():
            return "off"
        return "waiting_key" if not self.pairing.opening_key else self.standing.state

    @property
    def problem(self) -> Problem | None:
        """What a person should mend."""
        if self._trouble is not None:
            return self._trouble
        if self.pairing is None:
            return problem("proxy_unpaired") if self._mode_wants() else None
        waits = problem("proxy_key_waits") if self.state == "waiting_key" else None
        return self.standing.problem or waits

    @property
    def standing(self) -> PullStanding:
        """Last poll, backlog at the proxy, holder, notices, gap, and why it is paused."""
        return self._link.standing if self._link is not None else PullStanding()

    @property
    def remote(self) -> Remote | None:
        """The proxy, for what a person asks of it; None while this path does not run."""
        return self._link.remote if self._link is not None else None

    @property
    def closing(self) -> OldPath | None:
        """Since when this is an old path, and when it was last used; None: it is not."""
        return self._overlap.closing

    @property
    def urls(self) -> Mapping[int, str]:
        """The endpoint URLs at the proxy, by the touchpoint's id; empty while this path is off."""
        return self._link.declaring.urls() if self._link is not None else {}

    @property
    def lacking(self) -> tuple[str, ...]:
        """Declared touchpoints that this agent has not, or not the secret of."""
        return self._link.declaring.lacking if self._link is not None else ()

    def sender_url(self, path: str) -> str:
        """The URL that a request's path at the proxy belongs to; empty while this agent is not paired."""
        return sender_url(self.pairing, path) if self.pairing is not None else ""

    async def recall(self) -> None:
        """Take up the stored pairing; where it cannot be read, `problem` says so. Raises StoreUnavailable."""
        try:
            self.pairing = await self._needs.pairings.load()
            self._trouble = None
        except ProblemError as error:
            self.pairing, self._trouble = None, error.problems[0]

    async def start(self) -> None:
        """Pull if it can be; what keeps it from that is said in `problem`. Raises StoreUnavailable."""
        await self._take_up()
        self._needs.tasks.spawn(self._run(), name=NAME)

    async def follow(self) -> None:
        """The configuration or the pairing is another. Raises StoreUnavailable."""
        await self._take_up()
        if (self.pairing, self._wanted()) != self._doing:
            self._changed.set()
        if self._link is not None:
            self._link.declare()
            await self._link.verify_lacking()

    async def watch(self) -> None:
        """Write down when it was last used, and look after events of late touchpoints; to be called every few seconds."""
        with suppress(StoreUnavailable):
            await self._overlap.write_down()
            if self._link is not None:
                await self._link.verify_newly_lacking()

    def jumped(self) -> None:
        """The clock jumped: a laptop woke. Whatever waits is given up, and a new connection made at once."""
        if self._link is not None:
            self._link.renew()

    async def close_now(self) -> None:
        """A person closes an old path: its endpoints are answered like unknown ones from now on, and nothing is polled.

        Raises RemoteError where the proxy cannot be told; then it stays open.
        """
        if self.closing is None:
            return
        if self._link is not None:
            await self._link.say_closed()
        await self._overlap.close()
        self._changed.set()

    async def forget(self) -> None:
        """The agent is no longer paired: nothing is left to close."""
        await self._overlap.close()
        await self.follow()

    async def close(self, *, grace: float) -> None:
        """Pull nothing more, and let another agent take over at once."""
        if self._link is not None:
            self._link.parting = grace
        await self._needs.tasks.end(NAME)

    async def rotate(self, touchpoint: int) -> None:
        """A new endpoint URL for a touchpoint; the old one is answered for a while. Raises ProblemError(proxy_path_off)."""
        link = self._link
        if link is None or touchpoint not in link.declaring.urls():
            raise ProblemError(problem("proxy_path_off"))
        await link.declaring.rotate(touchpoint)
        link.declare()

    def _mode_wants(self) -> bool:
        return self._needs.configuration().agent.mode in ("proxy", "both")

    def _wanted(self) -> bool:
        return self._mode_wants() or self.closing is not None

    async def _take_up(self) -> None:
        await self.recall()
        if self.pairing is not None:
            await self._overlap.follow(wanted=self._mode_wants())

    def _paired(self, pairing: Pairing) -> None:
        """The link changed the pairing and stored it."""
        got_key = self.pairing is not None and not self.pairing.opening_key
        self.pairing = pairing
        self._doing = (pairing, self._doing[1])
        if got_key:
            self._changed.set()

    async def _run(self) -> None:
        """Do what is wanted until something changes, again and again."""
        while True:
            self._changed.clear()
            self._doing = (self.pairing, self._wanted())
            try:
                await until_first(self._changed.wait(), self._work())
            except (RemoteError, StoreUnavailable, ProblemError, ValueError) as error:
                self._trouble = _words(error)
                log.warning("proxy_path_waits", why=str(error))
                await until_first(self._changed.wait(), asyncio.sleep(LOOK_EVERY))
            except Exception as error:  # a path that has died would leave everything at the proxy
                log.error("proxy_path_failed", exc_info=error)
                await until_first(self._changed.wait(), asyncio.sleep(LOOK_EVERY))

    async def _work(self) -> None:
        pairing, wanted = self._doing
        if pairing is None or not wanted:
            await asyncio.Event().wait()
            return
        link = self._link = ProxyLink(self._needs, pairing, self._overlap, paired=self._paired)
        self._trouble = None
        try:
            await link.run()
        finally:
            self._link = None


def _words(error: Exception) -> Problem:
    if isinstance(error, ProblemError):
        return error.problems[0]
    if isinstance(error, RemoteError):
        return error.problem
    if isinstance(error, StoreUnavailable):
        return problem("proxy_store_waits", why=error.code)
    return problem("proxy_corporate", why=str(error))
