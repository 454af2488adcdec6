"""What was told, in configuration.db."""

from dataclasses import replace
from pathlib import Path

import pytest

from store.alerts import Standing
from store.inbox import StoreUnavailable
from store.sqlite.alerts import SqliteAlertMemory
from store.sqlite.database import CONFIGURATION_APPLICATION, Open, Opener
from store.sqlite.migrate import migrate

pytestmark = pytest.mark.anyio

ONE = Standing(code="given_up", touchpoint="orders", destination="erp", text="t", mend="m", count=3, since=1, told_at=2)
TWO = Standing(code="disk_low", text="t", mend="m", since=1, told_at=2, gone_at=3, cleared_at=4, returns=5)


async def test_each_channel_has_its_own(tmp_path: Path, open_database: Open) -> None:
    """What is kept replaces what was, and a failure in the middle changes nothing."""
    path = tmp_path / "configuration.db"
    database = await open_database(Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True))
    await database.run(lambda db: migrate(db, "configuration", path=path, now=1))
    memory = SqliteAlertMemory(database)
    assert await memory.recall("email") == []
    await memory.keep("email", [ONE, TWO])
    await memory.keep("webhook", [TWO])
    assert sorted(await memory.recall("email"), key=lambda one: one.code) == [TWO, ONE]
    await memory.keep("email", [replace(ONE, count=4)])
    assert await memory.recall("email") == [replace(ONE, count=4)]
    with pytest.raises(StoreUnavailable):
        await memory.keep("email", [TWO, TWO])
    assert await memory.recall("email") == [replace(ONE, count=4)]
    assert await memory.recall("webhook") == [TWO]
    await database.close()
