"""That an upgrade keeps what it finds is looked at by value: one row that became another is seen."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.found import Found
from tests.chaos.upgrade import Upgrade
from tests.released.sets import FILES, frozen_sets

pytestmark = pytest.mark.anyio

CHANGES = {  # by kind: one value becomes another, and no row more or fewer is there
    "configuration": "UPDATE touchpoints SET document = document || ' '",
    "events": "UPDATE bodies SET data = x'30' WHERE place = (SELECT max(place) FROM bodies)",
    "proxy": "UPDATE endpoints SET token_digest = x'30' WHERE id = (SELECT max(id) FROM endpoints)",
    "queue": "UPDATE messages SET received_at = received_at + 1",
}


async def test_a_value_that_changed_is_found(tmp_path: Path) -> None:
    """In each file; and a copy that nobody touched is as it was."""
    made, found = Upgrade(tmp_path, frozen_sets()[-1]), Found()
    await made.fill(0)
    copy = made.copy("copy")
    for role in ("one", "proxy"):
        made.check(copy, role, found, "untouched", struck=True)
    assert found.good, found
    for kind, change in CHANGES.items():
        place, name = FILES[kind]
        with closing(sqlite3.connect(copy / place / name)) as db, db:
            assert db.execute(change).rowcount > 0
        found = Found()
        made.check(copy, place, found, "changed", struck=True)
        assert f"of {kind}." in str(found), found
