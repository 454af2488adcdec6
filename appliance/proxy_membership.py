"""Membership of an organisation at a proxy: pairing, approving another agent, the recovery key, leaving."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import httpx

from appliance.clock import Clock
from appliance.proxy_path import ProxyPath
from store.pairing import Pairing, PairingStore
from store.remote import Remote
from store.remote_errors import RemoteError, Unreachable
from store.remote_pairing import Newborn, Paired, newborn, pair
from touchpoints.definition_kind import is_loopback
from touchpoints.problem import ProblemError, problem
from touchpoints.pull.call import State
from touchpoints.pull.key import Chance, signing_public
from touchpoints.pull.key import exchange_public as public_half
from touchpoints.pull.pairing import Code, fingerprint, parse_code
from touchpoints.pull.recovery import open_recovery_box, parse_recovery_key
from touchpoints.pull.sealing import wrap_organisation_key


class Membership:
    """What a person does about this agent's place at a proxy. Every call raises ProblemError in words for that person."""

    def __init__(
        self,
        path: ProxyPath,
        *,
        pairings: PairingStore,
        client: Callable[[str], httpx.AsyncClient],
        clock: Clock,
        chance: Chance,
        version: str,
    ) -> None:
        self._path = path
        self._pairings = pairings
        self._client = client
        self._clock = clock
        self._chance = chance
        self._version = version
        self._trying: tuple[str, str, Newborn] | None = None  # URL, the code's beginning, and what was sent with it

    @property
    def fingerprint(self) -> str:
        """This agent's, for a person to compare; empty while it is not paired."""
        pairing = self._path.pairing
        if pairing is None:
            return ""
        return fingerprint(signing_public(pairing.signing_key), public_half(pairing.exchange_key))

    async def pair(self, code: str, url: str, *, name: str, actor: str) -> Paired:
        """Pair with a proxy. The recovery key in the answer, where there is one, is shown once and kept nowhere.

        Raises ProblemError: pairing_code_malformed, proxy_url_invalid, proxy_already_paired, or what came of the call. After a
        proxy that could not be reached the same code can be tried again: what was sent is kept until another is.
        """
        if (paired := self._path.pairing) is not None:
            raise ProblemError(problem("proxy_already_paired", agent=paired.agent_name, domain=paired.domain))
        parsed, place = parse_code(code), checked_url(url)
        keys = self._keys(place, parsed)
        async with self._open(place) as client:
            try:
                made = await pair(client, place, parsed, keys, name=name, version=self._version, now=self._clock.now())
            except Unreachable as error:
                raise ProblemError(error.problem) from error
            except RemoteError as error:
                self._trying = None
                raise ProblemError(error.problem) from error
        await self._pairings.save(made.pairing, actor=actor, now=self._clock.now())
        self._trying = None
        await self._path.follow()
        return made

    async def state(self) -> State:
        """How things stand at the proxy."""
        async with self._remote() as remote:
            return await remote.state()

    async def approve(self, agent_id: str, compared: str) -> None:
        """Hand the organisation's key to another agent whose fingerprint a person compared; `compared` is that fingerprint."""
        pairing = self._paired()
        if not pairing.opening_key:
            raise ProblemError(problem("proxy_key_waits"))
        agent = next((one for one in (await self.state()).agents if one.id == agent_id), None)
        if agent is None:
            raise ProblemError(problem("proxy_agent_unknown"))
        if "".join(compared.split()) != fingerprint(agent.signing_key, agent.exchange_key).replace(" ", ""):
            raise ProblemError(problem("agent_fingerprint_changed"))
        wrapped = wrap_organisation_key(
            pairing.opening_key, agent.exchange_key, organisation=pairing.organisation, agent=agent.id
        )
        async with self._remote() as remote:
            await remote.approve(agent.id, wrapped)

    async def recover(self, recovery_key: str, *, actor: str) -> None:
        """Get the organisation's key by the recovery key. Raises ProblemError: recovery_key_malformed, recovery_key_wrong."""
        pairing, parsed = self._paired(), parse_recovery_key(recovery_key)
        async with self._remote() as remote:
            answer = await remote.recovery()
        opening_key = open_recovery_box(answer.recovery_box, parsed, sealing_key=pairing.sealing_key)
        await self._pairings.save(replace(pairing, opening_key=opening_key), actor=actor, now=self._clock.now())
        await self._path.follow()

    async def take_over(self, agent_id: str) -> int:
        """Have queued again what another agent took and did not settle; how many events. They may run twice."""
        async with self._remote() as remote:
            return await remote.take_over(agent_id)

    async def seek(self, to: int) -> int:
        """Have queued again what was acknowledged after `to`; how many events. What this agent has is not run again."""
        async with self._remote() as remote:
            return await remote.seek(to)

    async def leave(self, *, actor: str, anyway: bool = False) -> None:
        """Unpair. `anyway`: also where the proxy cannot be told (then its operator revokes this agent)."""
        self._paired()
        try:
            async with self._remote() as remote:
                await remote.leave()
        except ProblemError:
            if not anyway:
                raise
        await self._pairings.forget(actor=actor, now=self._clock.now())
        await self._path.forget()

    @asynccontextmanager
    async def _remote(self) -> AsyncIterator[Remote]:
        """The proxy by the path's own connection; while nothing is pulled, by one for this alone. Raises ProblemError."""
        pairing = self._paired()
        try:
            if self._path.remote is not None:
                yield self._path.remote
                return
            async with self._open(pairing.url) as client:
                yield Remote(client, pairing, version=self._version, count_from=self._clock.now())
        except RemoteError as error:
            raise ProblemError(error.problem) from error

    def _keys(self, url: str, code: Code) -> Newborn:
        if self._trying is None or self._trying[:2] != (url, code.find):
            self._trying = (url, code.find, newborn(self._chance))
        return self._trying[2]

    def _open(self, url: str) -> httpx.AsyncClient:
        try:
            return self._client(url)
        except ValueError as error:
            raise ProblemError(problem("proxy_corporate", why=str(error))) from error

    def _paired(self) -> Pairing:
        if self._path.pairing is None:
            raise ProblemError(problem("proxy_no_pairing"))
        return self._path.pairing


def checked_url(url: str) -> str:
    """A proxy's URL as it is kept. Raises ProblemError(proxy_url_invalid)."""
    try:
        parts = urlsplit(url.strip().rstrip("/"))
        good = (
            parts.hostname
            and parts.port != 0
            and not (parts.path or parts.query or parts.fragment or parts.username)
            and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)))
        )
    except ValueError:
        raise ProblemError(problem("proxy_url_invalid")) from None
    if not good:
        raise ProblemError(problem("proxy_url_invalid"))
    return f"{parts.scheme}://{parts.netloc}"
