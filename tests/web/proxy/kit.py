"""A whole proxy that listens on loopback, and agents of it that speak the pull protocol as ours does."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.logs import Redactor
from appliance.proxy.server import ProxyServer, open_proxy
from store.configuration import Actor
from store.document import parse
from store.pairing import Pairing
from store.remote import Remote
from store.remote_pairing import newborn, pair
from touchpoints.pull.declaration import Declaration, DeclaredToken, DeclaredTouchpoint
from touchpoints.pull.message import Acknowledged, Ask, Batch, PullRequest
from touchpoints.pull.packed import Packed, unpack
from touchpoints.pull.pairing import parse_code
from touchpoints.pull.proof import CHALLENGE, sign_request
from touchpoints.pull.sealing import open_data_key, wrap_token
from touchpoints.pull.token import endpoint_path, new_token, token_digest

MACHINE = Actor(name="machine", machine=True)


@dataclass(kw_only=True)
class Puller:
    """An agent of an organisation: what it was paired with, and where it stands."""

    pairing: Pairing
    remote: Remote
    incarnation: str = ""
    epoch: int = 0
    after: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    recovery_key: str = ""

    async def pull(self, *, wait: float = 0.0, **fields: Any) -> Batch:
        """Pull once, and go on from there."""
        asked = PullRequest(incarnation=self.incarnation, epoch=self.epoch, after=self.after, wait=wait)
        batch = await self.remote.pull(replace(asked, **fields))
        if batch.epoch:
            self.incarnation, self.epoch = batch.incarnation, batch.epoch
        if batch.messages:
            self.after = batch.messages[-1].seq
        return batch

    async def acknowledge(self) -> Acknowledged:
        """Everything that was pulled is safe."""
        return await self.remote.acknowledge(self.incarnation, self.epoch, to=self.after)

    async def drain(self) -> list[Packed]:
        """Pull, open and acknowledge all that waits."""
        found: list[Packed] = []
        while True:
            batch = await self.pull()
            found += self.opened(batch)
            if batch.messages:
                await self.acknowledge()
            elif not batch.more:
                return found

    def opened(self, batch: Batch) -> list[Packed]:
        """The events in a batch, out of their seals."""
        return [self._open(batch, one.key_id, one.data, one.id) for one in batch.messages]

    def asked(self, batch: Batch, ask: Ask) -> Packed:
        """A request that waits for an answer, out of its seal."""
        return self._open(batch, ask.key_id, ask.data, ask.id)

    def _open(self, batch: Batch, key_id: str, data: bytes, event_id: str) -> Packed:
        organisation = self.pairing.organisation
        key = open_data_key(key_id, batch.keys[key_id], self.pairing.opening_key, organisation=organisation)
        return unpack(key.open(data, event_id=event_id))

    async def declare(self, *names: str, **fields: Any) -> None:
        """Take the lease and declare touchpoints, each with a token of its own."""
        await self.pull()
        touchpoints = []
        for name in names:
            token = self.tokens.setdefault(name, new_token(os.urandom))
            sealed = wrap_token(token, self.pairing.sealing_key, organisation=self.pairing.organisation, touchpoint=name)
            declared = DeclaredToken(digest=token_digest(token), sealed=sealed)
            touchpoints.append(DeclaredTouchpoint(name=name, tokens=(declared,), **fields))
        assert (await self.remote.declare(Declaration(touchpoints=tuple(touchpoints)))).counts

    def path(self, name: str) -> str:
        """The path of an endpoint URL."""
        return endpoint_path(self.pairing.domain, name, self.tokens[name])


@dataclass(kw_only=True)
class Site:
    """A running proxy, a sender's client and its address."""

    role: ProxyServer
    url: str
    http: httpx.AsyncClient

    async def apply(self, text: str) -> None:
        """Change its settings."""
        applied = await self.role.control.apply(
            parse(text.encode()), base=".", digest="", prune=False, dry_run=False, actor=MACHINE
        )
        assert applied.problems == ()

    async def organisation(self, name: str, **quota: int | None) -> str:
        """Add one; its pairing code."""
        own = {"quota_events": None, "quota_bytes": None, **quota}
        return (await self.role.control.add(name, actor=MACHINE, **own)).text

    async def join(self, code: str, *, name: str = "front", client: httpx.AsyncClient | None = None) -> Puller:
        """Pair an agent."""
        client = client or self.http
        paired = await pair(
            client, self.url, parse_code(code), newborn(os.urandom), name=name, version="1.0", now=time.time_ns() // 1000
        )
        return Puller(
            pairing=paired.pairing,
            remote=Remote(client, paired.pairing, version="hookport/1.0", count_from=time.time_ns() // 1000),
            recovery_key=paired.recovery_key,
        )

    async def tenant(self, name: str, *touchpoints: str, **quota: int | None) -> Puller:
        """An organisation with an agent that has declared touchpoints."""
        puller = await self.join(await self.organisation(name, **quota))
        await puller.declare(*(touchpoints or ("orders",)))
        return puller

    async def post(self, puller: Puller, name: str = "orders", body: bytes = b"{}", **options: Any) -> httpx.Response:
        """Post a webhook as a sender does."""
        return await self.http.post(self.url + puller.path(name), content=body, **options)


@asynccontextmanager
async def proxy_over(folder: Path, port: int, *, settings: str = "", clock: Clock | None = None) -> AsyncIterator[Site]:
    """A proxy over a folder, which listens on a port of loopback."""
    role = await open_proxy(DataFolder(path=folder), clock or Clock(), {}, Redactor())
    try:
        await role.load()
        url = f"http://127.0.0.1:{port}"
        role.page = role.loopback = "http://127.0.0.1:8431"
        async with httpx.AsyncClient(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=None)) as http:
            site = Site(role=role, url=url, http=http)
            await site.apply(f'[server]\npublic_url = "{url}"\nlisten = "127.0.0.1"\nport = {port}\n{settings}')
            await role.start()
            try:
                yield site
            finally:
                await role.stop(grace=0.5)
    finally:
        await role.opened.close()


class Forger:
    """Signs requests by hand, so that a test can send them again, late, or changed."""

    def __init__(self, site: Site, puller: Puller) -> None:
        self._site = site
        self._pairing = puller.pairing
        self.challenge = "none"
        self.count = puller.remote._session._count + 10

    def signed(
        self, method: str, path: str, body: bytes, *, count: int | None = None, key: bytes | None = None
    ) -> dict[str, str]:
        """The headers of a signed request."""
        if count is None:
            self.count += 1
        proof = sign_request(
            key or self._pairing.signing_key,
            agent=self._pairing.agent_id,
            method=method,
            path=path,
            challenge=self.challenge,
            count=self.count if count is None else count,
            body=body,
        )
        return {"accept": "application/json", **proof.headers()}

    async def meet(self) -> None:
        """Get the challenge."""
        answer = await self.send("GET", "/v1/key", b"", self.signed("GET", "/v1/key", b""))
        assert answer.status_code == 401
        self.challenge = answer.headers[CHALLENGE]

    async def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Send it as it is."""
        return await self._site.http.request(method, self._site.url + path, content=body, headers=headers)


async def gathered(*works: Any) -> Sequence[Any]:
    """Run at once; what fails is in the result."""
    return await asyncio.gather(*works, return_exceptions=True)
