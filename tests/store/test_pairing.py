"""The pairing: kept whole, its keys sealed, and the ids of touchpoints that events came for before there were any."""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from store.inbox import StoreUnavailable
from store.old_path import OldPath
from store.pairing import EndpointToken
from store.sqlite import pairing as module
from store.sqlite.database import CONFIGURATION_APPLICATION, Database, InlineDatabase, Opener
from store.sqlite.old_path import SqliteOldPaths
from store.sqlite.pairing import SqlitePairing
from store.sqlite.people import SqlitePeople
from store.vault import Vault
from tests.appliance.hops.scripted_proxy import pairing
from tests.store.configuration_kit import KEY, MACHINE, Kit, open_kit
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio

T = TypeVar("T")

TOUCHPOINT = """
[[touchpoint]]
name = "{name}"
aliases = {aliases}
provider = "generic"
verify = {{ scheme = "none", allow_unsigned = true }}
[[touchpoint.destination]]
kind = "http"
url = "http://127.0.0.1:1/"
"""
TOKENS = (
    EndpointToken(touchpoint=2, token="second-token"),
    EndpointToken(touchpoint=1, token="first-token", retiring=True),
    EndpointToken(touchpoint=1, token="third-token"),
)


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    made = await open_kit(tmp_path)
    yield made
    await made.database.close()


@pytest.fixture
def store(kit: Kit) -> SqlitePairing:
    return SqlitePairing(kit.database, Vault(KEY))


async def test_a_pairing_comes_back_whole(kit: Kit, store: SqlitePairing) -> None:
    """Every field; another one takes its place; forgotten, it is gone with its tokens. Each leaves an audit line."""
    assert await store.load() is None
    one = pairing(wildcard=True, paired_at=5, key_renewed_at=6, former_key=bytes(range(32)))
    await store.save(one, actor="ann", now=7)
    assert await SqlitePairing(kit.database, Vault(KEY)).load() == one
    waiting = replace(one, opening_key=b"", agent_id="x")
    await store.save(waiting, actor="ann", now=8)
    assert await store.load() == waiting
    await store.save_tokens(TOKENS)
    await store.forget(actor="bob", now=9)
    await store.forget(actor="bob", now=10)
    assert (await store.load(), await store.tokens()) == (None, ())
    lines = [line for _, line in await SqlitePeople(kit.database).audited(limit=9)]
    assert [(line.actor, line.action) for line in lines] == [
        ("bob", "proxy.unpair"),
        ("ann", "proxy.pair"),
        ("ann", "proxy.pair"),
    ]


async def test_no_key_and_no_token_stands_in_the_file_or_in_words(kit: Kit, store: SqlitePairing) -> None:
    """Sealed by the vault; another vault opens nothing, and says so."""
    one = pairing(former_key=bytes(range(100, 132)))
    await store.save(one, actor="ann", now=7)
    await store.save_tokens(TOKENS)
    content = b"".join(file.read_bytes() for file in kit.folder.glob("configuration.db*"))
    secrets = (one.signing_key, one.exchange_key, one.opening_key, one.former_key)
    for secret in secrets:
        assert secret not in content
        assert secret.hex().encode() not in content
        assert repr(secret) not in repr(one)
    assert b"third-token" not in content
    assert "third-token" not in repr(TOKENS)
    with pytest.raises(ProblemError) as caught:
        await SqlitePairing(kit.database, Vault(bytes(32))).load()
    assert caught.value.problems[0].code == "key_wrong"


async def test_keys_open_beside_no_other_proxy(kit: Kit, store: SqlitePairing) -> None:
    """Who can write the file cannot have the agent prove itself to another proxy."""
    await store.save(pairing(), actor="ann", now=7)
    await kit.database.run(lambda db: db.execute("UPDATE pairing SET document = replace(document, 'proxy.test', 'evil.test')"))
    with pytest.raises(ProblemError) as caught:
        await store.load()
    assert caught.value.problems[0].code == "secret_unreadable"


async def test_tokens_are_replaced_in_order_and_bound_to_their_touchpoint(kit: Kit, store: SqlitePairing) -> None:
    """A sealed token that is moved to another touchpoint opens no more."""
    await store.save_tokens(TOKENS)
    assert await store.tokens() == TOKENS
    await store.save_tokens(TOKENS[:1])
    assert await store.tokens() == TOKENS[:1]
    await kit.database.run(lambda db: db.execute("UPDATE endpoint_tokens SET touchpoint = 9"))
    with pytest.raises(ProblemError):
        await store.tokens()


async def test_an_id_is_kept_for_a_name_until_its_touchpoint_is_made(kit: Kit, store: SqlitePairing) -> None:
    """Asked twice it is the same; the touchpoint gets it; names and aliases of living ones are theirs."""
    await kit.apply(TOUCHPOINT.format(name="orders", aliases='["old-orders"]'))
    orders = await store.touchpoint_id("orders")
    assert await store.touchpoint_id("old-orders") == orders
    stock = await store.touchpoint_id("stock")
    assert await store.touchpoint_id("stock") == stock != orders
    configuration = await kit.store.load({})
    assert [one.name for one in configuration.touchpoints] == ["orders"]
    assert configuration.touchpoint_names[stock] == "stock"
    applied = await kit.apply(TOUCHPOINT.format(name="stock", aliases="[]"))
    assert applied.configuration is not None
    assert {one.name: one.id for one in applied.configuration.touchpoints} == {"orders": orders, "stock": stock}
    assert await store.touchpoint_id("stock") == stock


async def test_a_touchpoint_that_was_removed_is_another(kit: Kit, store: SqlitePairing) -> None:
    """Its name is told as removed; what comes for it waits under an id of its own; a kept name is no removed one."""
    await kit.apply(TOUCHPOINT.format(name="orders", aliases="[]"))
    orders = await store.touchpoint_id("orders")
    await kit.store.remove("orders", actor=MACHINE, undelivered={}, now=5)
    kept = await store.touchpoint_id("orders")
    await store.touchpoint_id("stock")
    assert kept != orders
    assert await store.removed_names() == {"orders"}


async def test_strange_and_too_many_names_get_no_id(store: SqlitePairing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile proxy cannot fill the file."""
    monkeypatch.setattr(module, "MOST_RESERVED", 2)
    assert [await store.touchpoint_id(name) for name in ("", "A b", "../x", "é", "con", "x" * 65)] == [0] * 6
    ids = [await store.touchpoint_id(name) for name in ("a", "b", "c", "a")]
    assert ids[2] == 0
    assert ids[0] == ids[3] != ids[1]


async def test_old_paths_are_remembered(kit: Kit) -> None:
    """Each by its name, replaced and forgotten."""
    paths = SqliteOldPaths(kit.database)
    assert await paths.load() == ()
    await paths.save(OldPath(path="proxy", used_at=3))
    await paths.save(OldPath(path="direct", since=5, used_at=4))
    await paths.save(OldPath(path="proxy", since=7, used_at=3))
    assert await SqliteOldPaths(kit.database).load() == (
        OldPath(path="direct", since=5, used_at=4),
        OldPath(path="proxy", since=7, used_at=3),
    )
    await paths.forget("direct")
    assert [one.path for one in await paths.load()] == ["proxy"]


class Failing:
    """A database whose n-th work fails: before, or after it was committed."""

    def __init__(self, inner: Database, nth: int, *, committed: bool) -> None:
        self._inner, self._left, self._committed = inner, nth, committed
        self.struck = False

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._left -= 1
        if self._left == 0:
            self.struck = True
            if self._committed:
                await self._inner.run(work)
            raise sqlite3.OperationalError("disk I/O error")
        return await self._inner.run(work)

    async def close(self) -> None:
        await self._inner.close()


@pytest.mark.parametrize("committed", [False, True])
async def test_whichever_commit_fails_nothing_is_half_kept(tmp_path: Path, *, committed: bool) -> None:
    """The first, the second … work fails and is done again, until a run has fewer: the outcome is the same."""
    struck = 0
    for nth in itertools.count(1):
        folder = tmp_path / str(nth)
        folder.mkdir()
        kit = await open_kit(folder)
        failing = Failing(kit.database, nth, committed=committed)
        store = SqlitePairing(failing, Vault(KEY))

        async def again(work: Callable[[], object]) -> object:
            while True:
                try:
                    return await work()  # type: ignore[misc]  # a coroutine
                except StoreUnavailable:
                    continue

        await again(lambda store=store: store.save(pairing(), actor="ann", now=7))  # type: ignore[misc]  # bound now
        await again(lambda store=store: store.save_tokens(TOKENS))  # type: ignore[misc]  # bound now
        first = await again(lambda store=store: store.touchpoint_id("stock"))  # type: ignore[misc]  # bound now
        assert await again(lambda store=store: store.touchpoint_id("stock")) == first  # type: ignore[misc]  # bound now
        assert await again(store.load) == pairing()
        assert await again(store.tokens) == TOKENS
        await kit.database.close()
        if not failing.struck:
            break
        struck += 1
    assert struck == 6


async def test_the_file_is_the_configurations(tmp_path: Path) -> None:
    """It opens as such, and an InlineDatabase serves as well as another."""
    kit = await open_kit(tmp_path)
    await SqlitePairing(kit.database, Vault(KEY)).save(pairing(), actor="ann", now=1)
    await kit.database.close()
    opener = Opener(path=tmp_path / "configuration.db", application_id=CONFIGURATION_APPLICATION, writer=True)
    database = await InlineDatabase.open(opener)
    assert await SqlitePairing(database, Vault(KEY)).load() == pairing()
    await database.close()
