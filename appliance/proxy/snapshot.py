"""The snapshot: organisations, agents and endpoints in memory, made anew after each change."""

import asyncio

from store.organisations import Organisations
from web.proxy.directory import Directory, directory_of


class Snapshot:
    """Holds the directory. Changes at the same time share one look at the store."""

    def __init__(self, organisations: Organisations) -> None:
        self.directory = Directory()
        self._organisations = organisations
        self._looking = asyncio.Lock()
        self._wanted = self._made = 0

    async def refresh(self) -> None:
        """Returns once the directory holds what was stored when this was called."""
        self._wanted += 1
        mine = self._wanted
        async with self._looking:
            if self._made >= mine:
                return
            made = self._wanted
            store = self._organisations
            found = await store.all(), await store.endpoints(), await store.everyone()
            self.directory = directory_of(*found)
            self._made = made
