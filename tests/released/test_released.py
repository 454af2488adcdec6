"""Every schema that was ever there opens in today's program, and all that was in it goes on."""

import asyncio
import hashlib
import sqlite3
from contextlib import AsyncExitStack, closing
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from appliance.data_folder import DataFolder
from appliance.running import digest
from store.password import verify_password
from store.sqlite import migrate as module
from store.sqlite.database import pragma_number
from store.sqlite.migrate import migrate, migrations, schema
from tests.chaos.ledger import Ledger, Sender
from tests.chaos.scene import until
from tests.released.journey import PASSWORD, PERSON, SESSION, TOKEN
from tests.released.living import later, living, ports
from tests.released.seen import seen_of_agent, seen_of_proxy
from tests.released.sets import (
    CHANGELOG,
    FILES,
    Frozen,
    digests,
    frozen_numbers,
    frozen_sets,
    lacking,
    released,
    released_versions,
)
from tests.store.upgrades import newer

pytestmark = pytest.mark.anyio

SETS = pytest.mark.parametrize("frozen", frozen_sets(), ids=lambda one: str(one.name))
KINDS = pytest.mark.parametrize("kind", FILES)
AGAIN = "run: python -m tests.released"


@KINDS
def test_every_schema_has_a_frozen_set(kind: str) -> None:
    """Each number before the newest, and the newest as well once it is out."""
    out = max((int(name[:4]) for version in released().values() for name in version[kind]), default=0)
    assert lacking([number for number, *_ in migrations(kind)], frozen_numbers(kind), out) == [], AGAIN


def test_a_schema_without_a_frozen_set_is_noticed() -> None:
    """The newest may still change until it is out; none before it may lack."""
    assert lacking([1], [], out=0) == []
    assert lacking([1], [], out=1) == [1]
    assert lacking([1, 2, 3], [1], out=1) == [2]
    assert lacking([1, 2], [1], out=2) == [2]
    assert lacking([1, 2], [1, 2], out=2) == []


def test_every_version_that_is_out_is_written_down() -> None:
    """A version with a section in the changelog of its own is out, and its migrations are frozen."""
    out = released_versions(CHANGELOG.read_text(encoding="utf-8"))
    assert out == released().keys(), "run: python -m tests.released --freeze VERSION"
    assert released_versions("## [Unreleased]\n\n## [0.2.0] - 2027-01-01\n\n## [0.1.0]\n") == {"0.1.0", "0.2.0"}


@KINDS
def test_what_is_out_never_changes(kind: str) -> None:
    """A file of that version was made by those bytes: what comes after is another migration."""
    now = digests(kind)
    for version in released().values():
        assert version[kind].items() <= now.items()


def test_a_changed_migration_has_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte of what it shares with others is enough."""
    before = digests("proxy")
    whole = [(number, name, sql.replace("argon2id", "argon2i")) for number, name, sql in migrations("proxy")]
    monkeypatch.setattr("tests.released.sets.migrations", lambda _kind: whole)
    assert digests("proxy").keys() == before.keys()
    assert digests("proxy") != before
    assert before["0001_first.sql"] == hashlib.sha256(migrations("proxy")[0][2].encode()).hexdigest()


@SETS
@KINDS
def test_a_dump_is_of_the_schema_that_it_names(
    frozen: Frozen, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a schema is in the making its set is made anew; no set holds more than a reader can look through."""
    frozen.make(tmp_path, ports())
    folder, name = FILES[kind]
    with closing(sqlite3.connect(tmp_path / folder / name)) as db, closing(sqlite3.connect(":memory:")) as fresh:
        known = [one for one in migrations(kind) if one[0] <= pragma_number(db, "user_version")]
        monkeypatch.setattr(module, "migrations", lambda _kind: known)
        fresh.isolation_level = None
        migrate(fresh, kind, path=Path(), now=7)
        assert schema(db) == schema(fresh), AGAIN
    assert len(frozen.text(kind)) < 100_000


@SETS
async def test_nothing_of_it_is_another(frozen: Frozen, tmp_path: Path) -> None:
    """Counted and looked at through the program's own interfaces; afterwards the schemas are today's."""
    frozen.make(tmp_path, ports())
    assert await seen_of_agent(tmp_path / "one", later()) == frozen.told["agent"]
    assert await seen_of_proxy(tmp_path / "proxy", later()) == frozen.told["proxy"]
    for kind, (folder, name) in FILES.items():
        with closing(sqlite3.connect(tmp_path / folder / name)) as db:
            shown = files("store.sqlite").joinpath("schema", f"current-{kind}.sql").read_text(encoding="utf-8")
            assert schema(db) == shown


@SETS
async def test_nor_after_versions_that_are_still_to_come(frozen: Frozen, tmp_path: Path) -> None:
    """Two further versions of each file make tables anew, as real ones will: what is seen is still the same."""
    frozen.make(tmp_path, ports())
    with newer(*FILES):
        assert await seen_of_agent(tmp_path / "one", later()) == frozen.told["agent"]
        assert await seen_of_proxy(tmp_path / "proxy", later()) == frozen.told["proxy"]
    for kind, (folder, name) in FILES.items():
        with closing(sqlite3.connect(tmp_path / folder / name)) as db:
            assert pragma_number(db, "user_version") == len(migrations(kind)) + 2
    assert not DataFolder(path=tmp_path / "one").configuration_before.exists()


@SETS
async def test_what_waited_arrives_and_all_goes_on(frozen: Frozen, tmp_path: Path) -> None:
    """Planned or not, pulled or not, each runs once; people, tokens and repeats are known."""
    given, ledger, clock = ports(), Ledger(), later()
    frozen.make(tmp_path, given)
    ledger.accepted = set(frozen.told["waiting"])
    async with AsyncExitStack() as stack:
        site, agent = await stack.enter_async_context(living(tmp_path, given, ledger, clock))
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=20, trust_env=False))
        assert await ledger.arrived(seconds=20), ledger.missing

        url = f"http://127.0.0.1:{given['agent']}/hooks/sales"
        direct = Sender(ledger, lambda: url, client)
        assert await direct.send(frozen.told["first"])
        ledger.accepted.remove(frozen.told["first"])  # a repeat, by its sender's id: it is not run again
        names = {one.name: one.id for one in agent.configuration.touchpoints}
        await until(lambda: names["orders"] in agent.proxy.path.urls)
        proxied = f"http://127.0.0.1:{given['proxy']}{urlsplit(agent.proxy.path.urls[names['orders']]).path}"
        for sender in (direct, Sender(ledger, lambda: proxied, client)):
            for number in (901, 902) if sender is direct else (903, 904):
                assert await sender.send(number)
        found = await ledger.judge()
        assert found.good, found

        for opened in (agent.opened, site.role.opened):
            kept = await opened.people.password_hash(PERSON)
            assert kept is not None
            assert await asyncio.to_thread(verify_password, kept, PASSWORD)
            session = await opened.door.session(digest(SESSION), now=clock.now())
            assert session is not None
            assert session.person == PERSON
            assert await opened.people.token_by_digest(digest(TOKEN), now=clock.now()) is not None
