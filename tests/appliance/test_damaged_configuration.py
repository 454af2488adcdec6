"""A damaged configuration.db, the agent's and the proxy's: the start is refused in words, and the file stays."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.appliance.agents import TOUCHPOINT, agent_over, apply
from tests.web.proxy.kit import proxy_over
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio

Damage = Callable[[Path], None]


def run(path: Path, statement: str) -> None:
    """Change a file behind the program's back."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()


def with_a_page_of_nothing(path: Path) -> None:
    """The table that is read first is a page of zeros."""
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute("PRAGMA page_size").fetchone()
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'settings'").fetchone()
    data = path.read_bytes()
    path.write_bytes(data[: (root - 1) * page] + bytes(page) + data[root * page :])


def without_its_end(path: Path) -> None:
    """Half of the file is gone."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def with_a_text_that_is_none(path: Path) -> None:
    """SQLite sees nothing wrong with a setting that reads otherwise."""
    run(path, "UPDATE settings SET value = '[' || substr(value, 2)")


DAMAGE = (with_a_page_of_nothing, without_its_end, with_a_text_that_is_none)


def without_a_touchpoint(path: Path) -> None:
    """A destination belongs to a touchpoint that is not there."""
    run(path, "DELETE FROM touchpoints")


@pytest.mark.parametrize("damage", [*DAMAGE, without_a_touchpoint])
async def test_the_agents_is_refused_in_words(tmp_path: Path, damage: Damage) -> None:
    """Nothing is begun anew in its place."""
    folder = tmp_path / "data"
    async with agent_over(folder, start=False) as agent:
        assert (await apply(agent, TOUCHPOINT + '[limits]\nbuffers = "64MiB"\n')).problems == ()
    damage(folder / "configuration.db")
    before = (folder / "configuration.db").read_bytes()
    with pytest.raises(ProblemError) as caught:
        async with agent_over(folder, start=False):
            pass
    (told,) = caught.value.problems
    assert (told.code, told.path) == ("store_corrupt", str(folder / "configuration.db"))
    assert (folder / "configuration.db").read_bytes() == before


@pytest.mark.parametrize("damage", DAMAGE)
async def test_the_proxys_is_refused_in_words(tmp_path: Path, free_port: Callable[[], int], damage: Damage) -> None:
    """As the agent's."""
    folder = tmp_path / "proxy"
    async with proxy_over(folder, free_port()) as site:
        await site.organisation("acme")
    damage(folder / "configuration.db")
    with pytest.raises(ProblemError) as caught:
        async with proxy_over(folder, free_port()):
            pass
    assert caught.value.problems[0].code == "store_corrupt"
