"""Declaring: what the proxy must know of this agent's touchpoints, and the tokens of their endpoint URLs there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from store.pairing import EndpointToken, Pairing, PairingStore
from store.remote import Remote
from store.settings import Configuration
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint, declaration_digest
from touchpoints.pull.key import Chance
from touchpoints.pull.sealing import SealBroken, unwrap_token, wrap_token
from touchpoints.pull.token import endpoint_url, new_token, token_digest
from touchpoints.touchpoint import Touchpoint, TouchpointState

log = structlog.get_logger()

MOST_RETIRING = 4  # of one touchpoint: older ones are answered by the proxy until its overlap has passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What this agent last learnt of the declaration that counts."""

    digest: str = ""
    touchpoints: tuple[DeclaredTouchpoint, ...] = ()


class Declaring:
    """Keeps the proxy's declaration and this agent's tokens in step, for one pairing."""

    def __init__(
        self,
        pairing: Pairing,
        *,
        pairings: PairingStore,
        configuration: Callable[[], Configuration],
        chance: Chance,
        closed: Callable[[], bool] = lambda: False,
    ) -> None:
        """`closed` tells whether a person closed this path: then every endpoint is declared disabled, and keeps its token."""
        self._pairing = pairing
        self._pairings = pairings
        self._configuration = configuration
        self._chance = chance
        self._closed = closed
        self._counts = Declared()
        self._for: Configuration | None = None  # what was last declared
        self._said = ""  # the digest that counted once this agent had declared
        self.tokens: tuple[EndpointToken, ...] = ()

    @property
    def lacking(self) -> tuple[str, ...]:
        """Declared touchpoints that this agent has not, or not the secret of."""
        ours = _by_name(self._configuration().touchpoints)
        return tuple(
            one.name
            for one in self._counts.touchpoints
            if one.state != TouchpointState.DISABLED
            and (one.name not in ours or (ours[one.name].state is TouchpointState.SETUP and one.state != TouchpointState.SETUP))
        )

    def urls(self) -> Mapping[int, str]:
        """The endpoint URL of each touchpoint here, by its id."""
        active = {one.touchpoint: one.token for one in reversed(self.tokens) if not one.retiring}
        place = self._pairing
        return {
            one.id: endpoint_url(place.url, place.domain, one.name, active[one.id], wildcard=place.wildcard)
            for one in self._configuration().touchpoints
            if one.id in active
        }

    def forget_said(self) -> None:
        """Touchpoints or tokens changed: declare again."""
        self._for = None

    def due(self, digest: str, *, holds: bool) -> bool:
        """Whether there is something to learn or to declare. `digest` is of the declaration that counts now."""
        if digest != self._counts.digest:
            return True
        return holds and (self._for is not self._configuration() or digest != self._said)

    async def step(self, remote: Remote, digest: str, *, holds: bool) -> None:
        """Learn what is declared, adopt its tokens, and where this agent `holds` the lease, declare what differs.

        Raises RemoteError and StoreUnavailable.
        """
        configuration = self._configuration()
        counts = await remote.declaration()
        await self._keep_tokens(configuration, counts)
        if holds:
            declaration = await self._declaration(configuration, counts)
            said = declaration_digest(declaration)
            same = said == declaration_digest(counts)
            if not same:
                answer = await remote.declare(declaration)
                if answer.counts:
                    counts, digest, same = declaration, answer.digest, True
                    log.info("declared", touchpoints=len(declaration.touchpoints))
            if same:
                self._said, self._for = digest, configuration
        self._counts = Declared(digest=digest, touchpoints=counts.touchpoints)

    async def recall(self) -> None:
        """Take up the tokens that are stored. Raises ProblemError(secret_unreadable)."""
        self.tokens = await self._pairings.tokens()

    async def rotate(self, touchpoint: int) -> None:
        """A new token for a touchpoint; the old one is answered until the proxy's overlap has passed."""
        kept = [replace(one, retiring=True) if one.touchpoint == touchpoint else one for one in self.tokens]
        surplus = [one for one in kept if one.touchpoint == touchpoint][:-MOST_RETIRING]
        fresh = EndpointToken(touchpoint=touchpoint, token=new_token(self._chance))
        await self._save(tuple(one for one in (*kept, fresh) if one not in surplus))
        self.forget_said()

    async def _keep_tokens(self, configuration: Configuration, counts: Declaration) -> None:
        """Ours and the declared ones together: what either calls retiring is; each touchpoint has one that is not."""
        ours = {one.id for one in configuration.touchpoints}
        known = {one.token: one for one in self.tokens if one.touchpoint in ours}
        for adopted in self._adopted(configuration, counts):
            before = known.get(adopted.token)
            known[adopted.token] = replace(adopted, retiring=adopted.retiring or (before is not None and before.retiring))
        supplied = {one.touchpoint for one in known.values() if not one.retiring}
        for touchpoint in configuration.touchpoints:
            if touchpoint.id not in supplied:
                token = new_token(self._chance)
                known[token] = EndpointToken(touchpoint=touchpoint.id, token=token)
        await self._save(tuple(known.values()))

    def _adopted(self, configuration: Configuration, counts: Declaration) -> Iterable[EndpointToken]:
        ours = _by_name(configuration.touchpoints)
        for declared in counts.touchpoints:
            touchpoint = ours.get(declared.name)
            for one in declared.tokens if touchpoint else ():
                try:
                    token = unwrap_token(
                        one.sealed,
                        self._pairing.opening_key,
                        organisation=self._pairing.organisation,
                        touchpoint=declared.name,
                    )
                except SealBroken:
                    log.warning("token_unreadable", touchpoint=declared.name)
                    continue
                if touchpoint and token_digest(token) == one.digest:
                    yield EndpointToken(touchpoint=touchpoint.id, token=token, retiring=one.retiring)

    async def _declaration(self, configuration: Configuration, counts: Declaration) -> Declaration:
        """Ours, and what others declared and this agent never had: no sender's URL dies because a machine was replaced."""
        taken = {name for one in configuration.touchpoints for name in (one.name, *one.aliases)}
        taken |= await self._pairings.removed_names()
        known = {token_digest(one.token) for one in self.tokens}  # by these a renamed one is ours under its old name, too
        carried = (
            one for one in counts.touchpoints if one.name not in taken and known.isdisjoint(t.digest for t in one.tokens)
        )
        others = [replace(one, aliases=tuple(alias for alias in one.aliases if alias not in taken)) for one in carried]
        declared = (*(self._declared(one) for one in configuration.touchpoints), *others)
        if self._closed():
            declared = tuple(replace(one, state=TouchpointState.DISABLED.value) for one in declared)
        return Declaration(touchpoints=declared)

    def _declared(self, touchpoint: Touchpoint) -> DeclaredTouchpoint:
        return DeclaredTouchpoint(
            name=touchpoint.name,
            aliases=touchpoint.aliases,
            state=touchpoint.state.value,
            methods=touchpoint.methods,
            ack=touchpoint.ack,
            handshake=touchpoint.handshake,
            tokens=tuple(
                DeclaredToken(
                    digest=token_digest(one.token),
                    sealed=wrap_token(
                        one.token,
                        self._pairing.sealing_key,
                        organisation=self._pairing.organisation,
                        touchpoint=touchpoint.name,
                    ),
                    retiring=one.retiring,
                )
                for one in self.tokens
                if one.touchpoint == touchpoint.id
            ),
        )

    async def _save(self, tokens: tuple[EndpointToken, ...]) -> None:
        if tokens != self.tokens:
            await self._pairings.save_tokens(tokens)
            self.tokens = tokens


def _by_name(touchpoints: Iterable[Touchpoint]) -> dict[str, Touchpoint]:
    return {name: one for one in touchpoints for name in (one.name, *one.aliases)}
