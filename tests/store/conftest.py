"""The two forms of a database, and an events file of each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.sqlite.database import AiosqliteDatabase, InlineDatabase, Open
from store.sqlite.events_file import EventsFile
from tests.store.make import opened


@pytest.fixture(params=[AiosqliteDatabase.open, InlineDatabase.open], ids=["aiosqlite", "inline"])
def open_database(request: pytest.FixtureRequest) -> Open:
    """How a database is opened: once in a thread, once inline."""
    chosen: Open = request.param
    return chosen


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the events file stands."""
    return tmp_path / "events.db"


@pytest.fixture
async def file(path: Path, open_database: Open) -> AsyncIterator[EventsFile]:
    """An empty events file."""
    async with opened(path, open_database) as made:
        yield made
