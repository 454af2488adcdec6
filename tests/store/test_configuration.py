"""The configuration store: apply, show, prune, rename, remove."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.configuration import Change
from store.sqlite.migrate import schema
from tests.store.configuration_kit import DOCUMENT, IN, TOKEN, Kit, open_kit
from touchpoints.problem import ProblemError
from touchpoints.touchpoint import FolderDestination, HttpDestination

pytestmark = pytest.mark.anyio


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    found = await open_kit(tmp_path)
    yield found
    await found.database.close()


async def test_nothing_stored_is_the_default(kit: Kit) -> None:
    """A new data folder binds no public port."""
    configuration = await kit.store.load({})
    assert configuration.agent.mode is None
    assert configuration.touchpoints == ()


async def test_what_is_applied_is_what_is_loaded(kit: Kit) -> None:
    """Apply gives back what a later start loads, with ids."""
    applied = await kit.filled()
    loaded = await kit.store.load({"SHOPIFY_SECRET": "shopify-hush-1"})
    assert loaded == applied.configuration
    assert loaded.agent.host_public_url == "https://hooks.example.com:8420"
    assert loaded.agent.tls_certificate == str(kit.folder / "full.pem")
    orders, stock = loaded.touchpoints
    assert (orders.id, orders.secrets, stock.id, stock.secrets) == (1, ("shopify-hush-1",), 2, ("file-hush-2",))
    erp, folder = orders.destinations[0], stock.destinations[0]
    assert isinstance(erp, HttpDestination)
    assert erp.url == "http://user:url-hush-6@127.0.0.1:9000/orders?access_token=param-hush-7&shop=1"
    assert dict(erp.headers) == {"Authorization": "header-hush-4", "X-Plain": "plain"}
    assert dict(erp.query) == {"code": "query-hush-5"}
    assert erp.auth is not None
    assert erp.auth.secret == "basic-hush-3"
    assert isinstance(folder, FolderDestination)
    assert (folder.name, folder.path) == ("folder", IN)
    assert loaded.touchpoint_names == {1: "orders", 2: "stock"}
    assert loaded.destination_names == {1: "erp", 2: "folder"}


async def test_applying_twice_changes_nothing(kit: Kit) -> None:
    """The second apply of the same file, pruning or not, has nothing to do and writes no audit line."""
    await kit.filled()
    for prune in (False, True):
        again = await kit.apply(DOCUMENT, prune=prune)
        assert (again.problems, again.changes) == ((), ())
    assert await kit.database.run(lambda db: db.execute("SELECT count(*) FROM audit").fetchone()) == (1,)


async def test_show_and_apply_round_trip(kit: Kit) -> None:
    """What show prints is accepted as it is and loses nothing, by anyone who may apply."""
    before = (await kit.filled()).configuration
    text = await kit.store.show()
    for prune in (False, True):
        applied = await kit.apply(text, prune=prune, actor=TOKEN)
        assert (applied.problems, applied.changes) == ((), ())
        assert applied.configuration == before
    assert await kit.store.show() == text


async def test_a_dry_run_tells_and_changes_nothing(kit: Kit) -> None:
    """A dry run gives the changes an apply would make."""
    await kit.filled()
    before = await kit.store.show()
    tried = await kit.apply("[agent]\nport = 9999\n", dry_run=True, digest="abc")
    assert tried.changes == (Change(path="agent.port", what="added"),)
    assert tried.configuration is not None
    assert tried.configuration.agent.port == 9999
    assert await kit.store.show() == before
    assert await kit.store.last_applied() == ""


async def test_the_digest_of_the_last_file_is_kept(kit: Kit) -> None:
    """The digest is saved with what it stands for, and not when the file is refused."""
    await kit.apply("[agent]\nport = 9999\n", digest="abc")
    await kit.apply("[agent]\nport = 0\n", digest="def")
    assert await kit.store.last_applied() == "abc"


async def test_a_problem_leaves_everything_as_it_was(kit: Kit) -> None:
    """One mistake among good changes keeps all of them out."""
    await kit.filled()
    before = await kit.store.show()
    applied = await kit.apply('[agent]\nport = 9999\nlisten = "nowhere"\n')
    assert [problem.code for problem in applied.problems] == ["not_an_address"]
    assert applied.configuration is None
    assert await kit.store.show() == before


async def test_merge_keeps_what_is_left_out(kit: Kit) -> None:
    """A file with one key changes one key."""
    await kit.filled()
    applied = await kit.apply('[[touchpoint]]\nname = "orders"\n[[touchpoint.destination]]\nname = "erp"\nmethod = "PUT"\n')
    assert applied.changes == (Change(path="touchpoint.orders.destination.erp.method", what="added"),)
    assert applied.configuration is not None
    erp = applied.configuration.touchpoints[0].destinations[0]
    assert isinstance(erp, HttpDestination)
    assert (erp.method, dict(erp.query)) == ("PUT", {"code": "query-hush-5"})


async def test_prune_keeps_only_secrets(kit: Kit) -> None:
    """A pruning file is the whole truth, but a secret it leaves out stays."""
    await kit.filled()
    applied = await kit.apply('[[touchpoint]]\nname = "orders"\nprovider = "shopify"\n', prune=True)
    assert applied.problems == ()
    assert applied.configuration is not None
    assert applied.configuration.agent.mode is None
    assert [(found.name, found.secrets, found.aliases) for found in applied.configuration.touchpoints] == [
        ("orders", ("shopify-hush-1",), ())
    ]
    assert Change(path="touchpoint.stock.provider", what="removed") in applied.changes


async def test_what_is_undelivered_is_not_removed(kit: Kit) -> None:
    """Pruning and removing name what still waits, and how much of it."""
    await kit.filled()
    undelivered = {1: 5, 2: 3}
    applied = await kit.apply('[[touchpoint]]\nname = "orders"\nprovider = "shopify"\n', prune=True, undelivered=undelivered)
    assert [(problem.code, problem.path) for problem in applied.problems] == [
        ("undelivered_events", "touchpoint.orders.destination.erp"),
        ("undelivered_events", "touchpoint.stock.destination.folder"),
    ]
    assert "5 events" in applied.problems[0].text
    removed = await kit.store.remove("stock", actor=TOKEN, undelivered=undelivered, now=2)
    assert [problem.code for problem in removed.problems] == ["undelivered_events"]
    assert (await kit.apply(DOCUMENT, undelivered=undelivered)).problems == ()


async def test_ids_are_never_used_again(kit: Kit) -> None:
    """The log still names what is gone, and a new touchpoint of the same name is another one."""
    await kit.filled()
    assert (await kit.store.remove("stock", actor=TOKEN, undelivered={}, now=2)).problems == ()
    applied = await kit.apply(DOCUMENT)
    assert applied.configuration is not None
    assert [(found.id, found.destinations[0].id) for found in applied.configuration.touchpoints] == [(1, 1), (3, 3)]
    assert applied.configuration.touchpoint_names == {1: "orders", 2: "stock", 3: "stock"}
    assert applied.configuration.destination_names == {1: "erp", 2: "folder", 3: "folder"}


async def test_rename_keeps_the_old_name_as_alias(kit: Kit) -> None:
    """A renamed touchpoint keeps id and secrets, and answers to its old names; the old file still finds it."""
    await kit.filled()
    applied = await kit.store.rename("orders", "sales", actor=TOKEN, now=2)
    assert applied.problems == ()
    assert applied.configuration is not None
    found = applied.configuration.touchpoints[0]
    assert (found.id, found.name, found.aliases, found.secrets) == (1, "sales", ("old-orders", "orders"), ("shopify-hush-1",))
    assert found.destinations[0].id == 1
    again = await kit.apply('[[touchpoint]]\nname = "orders"\nstate = "hold"\n')
    assert again.changes == (Change(path="touchpoint.sales.state", what="added"),)
    back = await kit.store.rename("sales", "orders", actor=TOKEN, now=3)
    assert back.configuration is not None
    assert back.configuration.touchpoints[0].aliases == ("old-orders", "sales")


async def test_a_file_can_rename_too(kit: Kit) -> None:
    """A touchpoint that has a stored one's name as alias is that one; two can exchange their names."""
    await kit.filled()
    swap = '[[touchpoint]]\nname = "shop"\naliases = ["orders"]\n[[touchpoint]]\nname = "store"\naliases = ["stock"]\n'
    applied = await kit.apply(swap)
    assert applied.problems == ()
    assert applied.configuration is not None
    assert [(found.id, found.name) for found in applied.configuration.touchpoints] == [(1, "shop"), (2, "store")]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("orders", "stock", "name_taken"), ("orders", "CON", "name_invalid"), ("none", "x", "touchpoint_unknown")],
)
async def test_a_rename_that_cannot_be_is_refused(kit: Kit, old: str, new: str, code: str) -> None:
    """Names stay unique and usable."""
    await kit.filled()
    assert [problem.code for problem in (await kit.store.rename(old, new, actor=TOKEN, now=2)).problems] == [code]


async def test_removing_what_is_not_there_is_told(kit: Kit) -> None:
    """An unknown name is a problem, not silence."""
    applied = await kit.store.remove("nothing", actor=TOKEN, undelivered={}, now=2)
    assert [problem.code for problem in applied.problems] == ["touchpoint_unknown"]


async def test_one_destination_is_removed_and_nothing_else(kit: Kit) -> None:
    """Everything around it stays as it is, secrets and ids too; what still waits for it keeps it."""
    await kit.filled()
    await kit.apply(
        f"[[touchpoint]]\nname = 'orders'\n[[touchpoint.destination]]\nname = 'more'\nkind = 'folder'\npath = '{IN}'\n"
    )
    before = await kit.store.show()
    number = (await kit.store.load({"SHOPIFY_SECRET": "x"})).touchpoints[0].destinations[-1].id
    for name, to, code in (("nothing", "more", "touchpoint_unknown"), ("orders", "nothing", "destination_unknown")):
        applied = await kit.store.remove(name, destination=to, actor=TOKEN, undelivered={}, now=2)
        assert [problem.code for problem in applied.problems] == [code]
    waiting = await kit.store.remove("orders", destination="more", actor=TOKEN, undelivered={number: 3}, now=2)
    assert [problem.code for problem in waiting.problems] == ["undelivered_events"]
    assert await kit.store.show() == before
    applied = await kit.store.remove("orders", destination="more", actor=TOKEN, undelivered={}, now=2)
    assert applied.changes == (Change(path="touchpoint.orders.destination.more", what="removed"),)
    assert "more" not in await kit.store.show()
    assert (await kit.store.load({"SHOPIFY_SECRET": "x"})).destination_names[number] == "more"  # the log still names it
    erp = await kit.store.remove("orders", destination="erp", actor=TOKEN, undelivered={}, now=3)
    assert erp.configuration is not None
    assert erp.configuration.touchpoints[0].destinations == ()


async def test_each_deed_has_its_audit_line(kit: Kit) -> None:
    """Apply, rename and remove write who did what, in the same transaction."""
    await kit.filled()
    await kit.store.rename("orders", "sales", actor=TOKEN, now=2)
    await kit.store.remove("stock", actor=TOKEN, undelivered={}, now=3)
    lines = await kit.database.run(lambda db: db.execute("SELECT at, actor, action FROM audit ORDER BY number").fetchall())
    assert lines == [
        (1_000, "machine", "config.apply"),
        (2, "token:ci", "touchpoint.rename"),
        (3, "token:ci", "touchpoint.remove"),
    ]


async def test_another_kind_of_thing_is_replaced_whole(kit: Kit) -> None:
    """Another kind of destination, type of auth or provider doesn't inherit what only the former one understood."""
    await kit.filled()
    erp = "[[touchpoint]]\nname = 'orders'\n[[touchpoint.destination]]\nname = 'erp'\n"
    assert (await kit.apply(erp + "auth = { type = 'bearer', token = 't0ken' }\n")).problems == ()
    kind = f"{erp}kind = 'folder'\npath = '{IN}'\n"
    applied = await kit.apply(kind)
    assert applied.problems == ()
    assert applied.configuration is not None
    assert applied.configuration.touchpoints[0].destinations[0] == FolderDestination(id=1, name="erp", path=IN)
    assert (await kit.apply('[[touchpoint]]\nname = "stock"\nprovider = "github"\n')).problems == ()


async def test_machine_rights_are_asked_for_what_changes(kit: Kit) -> None:
    """A token may change a port, but name no file of the machine; what already stands it may keep."""
    refused = await kit.apply(DOCUMENT, actor=TOKEN)
    assert {(problem.path, problem.code) for problem in refused.problems} == {
        (path, "needs_machine")
        for path in (
            "agent.tls_certificate",
            "agent.tls_key",
            "agent.tls_client_ca",
            "touchpoint.orders.secrets[0]",
            "touchpoint.stock.secrets[0]",
            "touchpoint.stock.destination.folder.path",
        )
    }
    await kit.filled()
    assert (await kit.apply((await kit.store.show()).replace("10MiB", "11MiB"), actor=TOKEN)).problems == ()


async def test_long_names_do_not_hide_a_change(kit: Kit) -> None:
    """Names that differ in their last letter only are told apart: a token cannot move one's folder behind the other's."""
    first, second = (
        f'[[touchpoint]]\nname = "{"x" * 63}{letter}"\nprovider = "github"\n'
        f"[[touchpoint.destination]]\nkind = \"folder\"\npath = '{IN}'\n"
        for letter in "ab"
    )
    assert (await kit.apply(first + second)).problems == ()
    applied = await kit.apply(first.replace(IN, f"{IN}2") + second, actor=TOKEN)
    assert [problem.code for problem in applied.problems] == ["needs_machine"]


async def test_our_own_folder_is_never_a_destination(kit: Kit) -> None:
    """Not even the machine's right lets events be written into the data folder."""
    destination = f"[[touchpoint.destination]]\nkind = 'folder'\npath = '{kit.folder / 'x'}'\n"
    applied = await kit.apply(f"[[touchpoint]]\nname = 'a'\nprovider = 'github'\n{destination}")
    assert [(problem.code, problem.path) for problem in applied.problems] == [
        ("folder_refused", "touchpoint.a.destination.folder.path")
    ]


async def test_a_document_without_end_is_a_problem(kit: Kit) -> None:
    """Nesting a thousand levels deep is told, not followed."""
    document: dict[str, object] = {}
    for _ in range(5_000):
        document = {"agent": document}
    actor = TOKEN
    applied = await kit.store.apply(
        document, base="", prune=False, dry_run=False, actor=actor, environment={}, undelivered={}, now=1
    )
    assert [problem.code for problem in applied.problems] == ["document_too_deep"]


async def test_what_cannot_be_read_any_more_is_told(kit: Kit) -> None:
    """A stored value that this program's checks refuse stops the load in words."""
    await kit.filled()
    change = "UPDATE settings SET value = ? WHERE key = 'mode'"
    await kit.database.run(lambda db: db.execute(change, (json.dumps("warp"),)))
    with pytest.raises(ProblemError) as caught:
        await kit.store.load({})
    assert [problem.path for problem in caught.value.problems] == ["agent.mode"]


async def test_the_instance_keeps_its_id(kit: Kit) -> None:
    """The first id offered is kept for good."""
    assert await kit.store.instance_id("one") == "one"
    assert await kit.store.instance_id("two") == "one"


async def test_the_schema_for_readers_is_the_real_one(kit: Kit) -> None:
    """schema/current-configuration.sql is what the migrations come to."""
    path = Path(__file__).parents[2] / "store" / "sqlite" / "schema" / "current-configuration.sql"
    assert await kit.database.run(schema) == path.read_text(encoding="utf-8")
