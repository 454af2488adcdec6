"""The limiter: how often a password may be guessed, over restarts too."""

import asyncio
from pathlib import Path

import pytest

from store.door import FREE_TRIES, wait_after
from store.sqlite.database import CONFIGURATION_APPLICATION, InlineDatabase, Opener
from store.sqlite.door import SqliteDoor
from store.sqlite.migrate import migrate
from tests.page.doorstep import PASSWORD, browser, doorstep, sign_in
from touchpoints.moment import DAY, MINUTE, SECOND
from web.page.limiter import subjects

pytestmark = pytest.mark.anyio


def test_waits_grow_to_a_quarter_of_an_hour() -> None:
    """Five tries are free; then half a minute, doubling, and never more than 15 minutes."""
    assert [wait_after(tries) for tries in (0, FREE_TRIES - 1)] == [0, 0]
    assert [wait_after(tries) // SECOND for tries in (5, 6, 7, 8, 9, 10, 10_000)] == [30, 60, 120, 240, 480, 900, 900]


@pytest.mark.parametrize(
    ("address", "account", "network"),
    [
        ("127.0.0.1", "account:here:ann", "address:127.0.0.1"),
        ("::1", "account:here:ann", "address:::/64"),
        ("192.0.2.7", "account:elsewhere:ann", "address:192.0.2.7"),
        ("2001:db8:1:2:3::4", "account:elsewhere:ann", "address:2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "account:elsewhere:ann", "address:192.0.2.7"),
        ("", "account:elsewhere:ann", "address:unknown"),
    ],
)
def test_a_try_counts_for_account_and_address(address: str, account: str, network: str) -> None:
    """However the name is written; an IPv6 network as one; this machine apart from all others."""
    assert subjects(" Ann ", address) == (account, network)


async def test_brute_force_gets_nowhere_even_by_a_restart(tmp_path: Path) -> None:
    """After five wrong tries the right password does not help either, nor does starting the process anew."""
    async with doorstep(tmp_path / "data") as agent, browser(agent, address="192.0.2.7") as client:
        for _ in range(FREE_TRIES):
            assert (await sign_in(client, password="wrong")).status_code == 403
        waits = await sign_in(client)
        assert waits.status_code == 429
        assert "30 s" in waits.text or "29 s" in waits.text
    async with doorstep(tmp_path / "data") as agent:
        async with browser(agent, address="192.0.2.7") as client:
            assert (await sign_in(client)).status_code == 429
            assert (await sign_in(client, name="bob")).status_code == 429
        async with browser(agent, address="192.0.2.8") as client:
            assert (await sign_in(client)).status_code == 429
        async with browser(agent) as client:
            assert (await sign_in(client)).status_code == 303


async def test_tries_at_the_same_moment_do_not_pass_together(tmp_path: Path) -> None:
    """A try is counted before its password is looked at."""
    async with doorstep(tmp_path / "data") as agent, browser(agent) as client:
        answers = await asyncio.gather(*(sign_in(client, password="wrong") for _ in range(20)))
        assert sorted(one.status_code for one in answers) == [403] * FREE_TRIES + [429] * 15


async def test_a_right_password_forgives(tmp_path: Path) -> None:
    """Typing it wrong now and then adds up to nothing."""
    async with doorstep(tmp_path / "data") as agent, browser(agent) as client:
        for _ in range(3):
            for _ in range(FREE_TRIES - 1):
                await sign_in(client, password="wrong")
            assert (await sign_in(client, password=PASSWORD)).status_code == 303


async def test_waits_end_and_failures_are_forgotten(tmp_path: Path) -> None:
    """After the wait one more try; after a day without one, all of them; a clock set back makes no wait longer."""
    path = tmp_path / "configuration.db"
    database = await InlineDatabase.open(Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True))
    await database.run(lambda db: migrate(db, "configuration", path=path, now=1))
    door = SqliteDoor(database)
    try:
        for _ in range(FREE_TRIES):
            assert await door.try_by("a", "b", now=DAY) == 0
        assert await door.try_by("a", now=DAY + 10 * SECOND) == 20 * SECOND
        assert await door.try_by("c", "b", now=DAY + 10 * SECOND) == 20 * SECOND
        assert await door.try_by("c", now=DAY + 10 * SECOND) == 0
        assert await door.try_by("a", now=0) == 30 * SECOND
        assert await door.try_by("a", now=DAY + 30 * SECOND) == 0
        assert await door.try_by("a", now=DAY + 31 * SECOND) == 59 * SECOND
        assert await door.try_by("a", now=3 * DAY) == 0
        assert await door.try_by("a", now=3 * DAY + MINUTE) == 0
        await door.forgive("a", "never tried")
    finally:
        await database.close()


async def test_invented_names_fill_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more subjects than there is room for, those with the most failures stay."""
    monkeypatch.setattr("store.sqlite.door._MOST_SUBJECTS", 10)
    path = tmp_path / "configuration.db"
    database = await InlineDatabase.open(Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True))
    await database.run(lambda db: migrate(db, "configuration", path=path, now=1))
    door = SqliteDoor(database)
    try:
        for _ in range(FREE_TRIES):
            await door.try_by("the account", now=0)
        for number in range(50):
            await door.try_by(f"invented {number}", now=SECOND)
        assert await door.try_by("the account", now=SECOND) == 29 * SECOND
        assert await database.run(lambda db: db.execute("SELECT count(*) FROM login_failures").fetchone()) == (10,)
    finally:
        await database.close()
