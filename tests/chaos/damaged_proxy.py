"""A proxy's data folder that was damaged: what its agents could pull of it, and whether the operator is told what is gone."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from appliance.proxy.server import ProxyServer
from store.inbox import StoreUnavailable
from tests.free_port import free_port
from tests.web.proxy.kit import proxy_over
from touchpoints.problem import ProblemError

EVENTS = 60  # two of them large
FILES = ("queue.db", "queue.db", "queue.db", "queue.db-wal", "configuration.db", "configuration.db-wal")

Messages = dict[str, bytes]  # what is sealed, by id


class DamagedProxy:
    """Two folders with events that wait: as a crash would leave it, and closed cleanly."""

    files = FILES

    def __init__(self, *, port: int, organisation: int, messages: Messages, folders: tuple[Path, Path]) -> None:
        self.folders = folders
        self._port = port
        self._organisation = organisation
        self._messages = messages

    async def held(self, folder: Path) -> str:
        """What a damaged copy came to. Raises whatever is not in words, and AssertionError where nothing was told."""
        try:
            async with proxy_over(folder, self._port) as site:
                return await self._pulled(site.role)
        except (ProblemError, StoreUnavailable):
            return "refused"

    async def _pulled(self, role: ProxyServer) -> str:
        if await self._got(role) == self._messages:
            return "whole"
        await role._house.look_through.when_due()
        needs = [need["code"] for need in (await role.control.status())["needs_you"]]
        if role.opened.usable is None:
            assert "queue_store_down" in needs, "a damaged file, and nothing is said"
            assert role.opened.queue is not None
            assert role.opened.queue.moved_aside() or role.opened.folder.queue.exists(), "a damaged file was deleted"
            return "aside"
        gone = self._messages.keys() - (await self._got(role)).keys()
        assert not gone, f"{len(gone)} events are gone, and the file is called sound"
        return "changed under its seal"

    async def _got(self, role: ProxyServer) -> Messages:
        queue = role.hub.queue()
        if queue is None:
            return {}
        try:
            batch = await queue.pull(self._organisation, after=0, limit=1000, max_bytes=2**40)
        except StoreUnavailable:
            return {}
        return {one.id: one.data for one in batch.messages}


@asynccontextmanager
async def damaged_proxy(folder: Path) -> AsyncIterator[DamagedProxy]:
    """A proxy that took in what no agent has pulled."""
    port, folders = free_port(), (folder / "proxy-killed", folder / "proxy-closed")
    async with proxy_over(folder / "proxy-first", port) as site:
        puller = await site.tenant("acme")
        for number in range(EVENTS):
            body = b"%d " % number + b"x" * (300_000 if number % 30 == 29 else 500)
            assert (await site.post(puller, body=body)).status_code == 200
        organisation, queue = puller.pairing.organisation, site.role.hub.queue()
        assert queue is not None
        batch = await queue.pull(organisation, after=0, limit=1000, max_bytes=2**40)
        await asyncio.to_thread(shutil.copytree, folder / "proxy-first", folders[0])  # with its write-ahead logs
    await asyncio.to_thread(shutil.copytree, folder / "proxy-first", folders[1])
    messages = {one.id: one.data for one in batch.messages}
    assert len(messages) == EVENTS
    yield DamagedProxy(port=port, organisation=organisation, messages=messages, folders=folders)
