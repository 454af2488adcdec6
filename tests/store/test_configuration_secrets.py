"""Secrets in the configuration store: sealed, shown as fingerprints, read anew, never in clear."""

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.vault import open_key
from tests.store.configuration_kit import DOCUMENT, HUSHED, TOKEN, Kit, open_kit
from touchpoints.problem import ProblemError
from touchpoints.touchpoint import TouchpointState

pytestmark = pytest.mark.anyio

ORDERS = '[[touchpoint]]\nname = "orders"\nprovider = "shopify"\nsecrets = ["literal-hush-10"]\n'


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    found = await open_kit(tmp_path)
    yield found
    await found.database.close()


def in_clear(text: str) -> list[str]:
    return [secret for secret in HUSHED if secret in text]


async def test_no_secret_is_ever_in_clear(kit: Kit) -> None:
    """Not in the database's bytes, not in show, not in the configuration's repr, its changes or its audit."""
    applied = await kit.filled()
    files = b"".join(path.read_bytes() for path in kit.folder.glob("configuration.db*"))
    assert in_clear(files.decode("latin-1")) == []
    shown = await kit.store.show()
    assert in_clear(shown) == []
    assert len(re.findall(r"stored:[0-9a-f]{16}", shown)) == 9
    assert in_clear(repr(applied)) == []
    audit = await kit.database.run(lambda db: db.execute("SELECT detail FROM audit").fetchall())
    assert in_clear(str(audit)) == []


async def test_no_problem_names_a_secret(kit: Kit) -> None:
    """Secrets in places where much else is wrong stay out of every problem's words."""
    broken = re.sub(r"(?m)^(provider|kind|scheme|method|mode) = .*$", r"\1 = 7", DOCUMENT)
    applied = await kit.apply(broken)
    assert len(applied.problems) > 5
    assert in_clear(" ".join(str(problem) for problem in applied.problems)) == []


async def test_fingerprints_of_another_folder_are_refused(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What another data folder showed isn't silently taken for a secret."""
    await kit.filled()
    other = await open_kit(tmp_path_factory.mktemp("other"), key=bytes(32))
    applied = await other.apply(await kit.store.show())
    await other.database.close()
    assert {problem.code for problem in applied.problems} == {"secret_unknown"}
    assert len(applied.problems) == 9


async def test_a_changed_source_is_read_at_the_next_start(kit: Kit) -> None:
    """env: and file: are read anew at load and at apply; the document stays as it was."""
    await kit.filled()
    shown = await kit.store.show()
    (kit.folder / "stock.secret").write_bytes(b"new-file-hush\r\n")
    loaded = await kit.store.load({"SHOPIFY_SECRET": "new-env-hush"})
    assert [found.secrets for found in loaded.touchpoints] == [("new-env-hush",), ("new-file-hush",)]
    assert await kit.store.show() == shown
    applied = await kit.apply("", environment={"SHOPIFY_SECRET": "newer-env-hush"})
    assert [change.path for change in applied.changes] == ["touchpoint.orders.secrets[0]"]
    assert applied.configuration is not None
    assert applied.configuration.touchpoints[0].secrets == ("newer-env-hush",)


async def test_an_unreadable_source_keeps_the_last_value(kit: Kit) -> None:
    """At a start a missing variable or file is a warning, and the sealed value serves on."""
    before = (await kit.filled()).configuration
    (kit.folder / "stock.secret").unlink()
    loaded = await kit.store.load({})
    assert before is not None
    assert loaded.touchpoints == before.touchpoints
    assert sorted((warning.code, warning.path) for warning in loaded.warnings) == [
        ("secret_stale", "touchpoint.orders.secrets[0]"),
        ("secret_stale", "touchpoint.stock.secrets[0]"),
    ]


async def test_an_unreadable_source_refuses_the_file_that_names_it(kit: Kit) -> None:
    """At apply the person is there to mend it, so nothing is changed."""
    applied = await kit.apply(DOCUMENT.replace("stock.secret", "gone.secret"), environment={})
    assert sorted((problem.code, problem.path) for problem in applied.problems) == [
        ("secret_environment", "touchpoint.orders.secrets[0]"),
        ("secret_file", "touchpoint.stock.secrets[0]"),
    ]


async def test_rotation_adds_to_a_stored_secret(kit: Kit) -> None:
    """A list may mix what is stored and what is new, in any order; an empty list removes all."""
    await kit.apply(ORDERS)
    (stored,) = re.findall(r"stored:[0-9a-f]{16}", await kit.store.show())
    applied = await kit.apply(ORDERS.replace('["literal-hush-10"]', f'["fresh-hush-11", "{stored}"]'), actor=TOKEN)
    assert applied.configuration is not None
    assert applied.configuration.touchpoints[0].secrets == ("fresh-hush-11", "literal-hush-10")
    emptied = await kit.apply(ORDERS.replace('["literal-hush-10"]', "[]"), actor=TOKEN)
    assert emptied.configuration is not None
    assert emptied.configuration.touchpoints[0].state is TouchpointState.SETUP
    assert await kit.database.run(lambda db: db.execute("SELECT count(*) FROM secrets").fetchone()) == (0,)


async def test_a_stored_secret_cannot_be_carried_elsewhere(kit: Kit) -> None:
    """A token cannot move a fingerprint to where its value would be sent; in a plain header it is only text."""
    await kit.apply(ORDERS)
    (stored,) = re.findall(r"stored:[0-9a-f]{16}", await kit.store.show())
    destination = '[[touchpoint.destination]]\nkind = "http"\nurl = "https://evil.example/"\n'
    for headers, codes in (
        (f'{{ X-Token = "{stored}" }}', ["secret_moved"]),
        (f'{{ X-Plain = "{stored}" }}', []),
    ):
        text = f'[[touchpoint]]\nname = "orders"\n{destination}headers = {headers}\n'
        applied = await kit.apply(text, actor=TOKEN)
        assert [problem.code for problem in applied.problems] == codes
        assert "literal-hush-10" not in str(applied.configuration and applied.configuration.touchpoints[0].destinations[0])


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ('kind = "http"\nurl = "http://user:url-hush-6@127.0.0.1:9000/elsewhere"', []),
        ('kind = "http"\nurl = "http://127.0.0.1:9001/orders"', ["auth.password", "headers.Authorization", "query.code"]),
        ('kind = "http"\nproxy = "http://evil.example:3128"', ["auth.password", "headers.Authorization", "query.code", "url"]),
    ],
)
async def test_a_destinations_secrets_do_not_follow_it_elsewhere(kit: Kit, change: str, moved: list[str]) -> None:
    """A token may send events elsewhere, but not with the secrets that were meant for another; the machine may do both."""
    await kit.apply(DOCUMENT)
    text = f'[[touchpoint]]\nname = "orders"\n[[touchpoint.destination]]\nname = "erp"\n{change}\n'
    applied = await kit.apply(text, actor=TOKEN, dry_run=True)
    assert {problem.code for problem in applied.problems} <= {"secret_moved"}
    assert sorted({problem.path.removeprefix("touchpoint.orders.destination.erp.") for problem in applied.problems}) == moved
    assert (await kit.apply(text)).problems == ()


async def test_a_senders_secret_is_not_made_a_token(kit: Kit) -> None:
    """Where the sender would send the secret itself, a destination could read it: who does not know it may not say so."""
    await kit.apply(DOCUMENT)
    text = '[[touchpoint]]\nname = "stock"\nprovider = "generic"\n[touchpoint.verify]\nscheme = "token"\nheader = "X-Key"\n'
    assert [problem.code for problem in (await kit.apply(text, actor=TOKEN)).problems] == ["secret_moved"]
    typed = text.replace("[touchpoint.verify]", 'secrets = ["fresh-hush-12"]\n[touchpoint.verify]')
    assert (await kit.apply(typed, actor=TOKEN)).problems == ()


async def test_an_exchanged_row_does_not_open(kit: Kit) -> None:
    """A sealed value is bound to its fingerprint and its source."""
    await kit.filled()

    def exchange(db: sqlite3.Connection) -> None:
        sealed = [row[0] for row in db.execute("SELECT sealed FROM secrets ORDER BY fingerprint LIMIT 2")]
        names = [row[0] for row in db.execute("SELECT fingerprint FROM secrets ORDER BY fingerprint LIMIT 2")]
        db.executemany("UPDATE secrets SET sealed = ? WHERE fingerprint = ?", zip(reversed(sealed), names, strict=True))

    await kit.database.run(exchange)
    with pytest.raises(ProblemError) as caught:
        await kit.store.load({})
    assert caught.value.problems[0].code == "secret_unreadable"


async def test_another_key_is_told(kit: Kit) -> None:
    """A key file from elsewhere is told before anything is read or written with it."""
    await kit.filled()
    await kit.database.close()
    other = await open_kit(kit.folder, key=bytes(32))
    for attempt in (other.store.load({}), other.store.show(), other.apply("")):
        with pytest.raises(ProblemError) as caught:
            await attempt
        assert caught.value.problems[0].code == "key_wrong"
    await other.database.close()


def test_a_missing_key_is_told_and_not_made(tmp_path: Path) -> None:
    """Opening never makes a key."""
    with pytest.raises(ProblemError) as caught:
        open_key(tmp_path / "secret.key")
    assert caught.value.problems[0].code == "key_file_missing"
    assert not (tmp_path / "secret.key").exists()
