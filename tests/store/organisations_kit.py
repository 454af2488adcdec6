"""A proxy's configuration database, and the places in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from store.sqlite.database import PROXY_APPLICATION, Database, InlineDatabase, Opener
from store.sqlite.door import SqliteDoor
from store.sqlite.migrate import migrate
from store.sqlite.organisations import SqliteOrganisations
from store.sqlite.people import SqlitePeople
from store.sqlite.server_configuration import SqliteServerConfiguration
from store.vault import Vault

KEY = bytes(range(32))


@dataclass(frozen=True, kw_only=True)
class ProxyKit:
    """Everything over one file."""

    database: Database
    organisations: SqliteOrganisations
    configuration: SqliteServerConfiguration
    people: SqlitePeople
    door: SqliteDoor
    path: Path

    async def audited(self) -> list[tuple[str, str, str]]:
        """(actor, action, detail), oldest first."""
        lines = await self.people.audited(limit=1000)
        return [(line.actor, line.action, line.detail) for _, line in reversed(lines)]


@asynccontextmanager
async def proxy_kit(folder: Path, *, key: bytes = KEY) -> AsyncIterator[ProxyKit]:
    """Over `configuration.db` in a folder."""
    path = folder / "configuration.db"
    database = await InlineDatabase.open(Opener(path=path, application_id=PROXY_APPLICATION, writer=True))
    await database.run(lambda db: migrate(db, "proxy", path=path, now=1))
    vault = Vault(key)
    try:
        yield ProxyKit(
            database=database,
            organisations=SqliteOrganisations(database, vault, path),
            configuration=SqliteServerConfiguration(database, vault, path),
            people=SqlitePeople(database),
            door=SqliteDoor(database),
            path=path,
        )
    finally:
        await database.close()
