"""People, tokens and the audit log."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.people import AuditLine, Scope
from store.sqlite.database import CONFIGURATION_APPLICATION, AiosqliteDatabase, Database, InlineDatabase, Opener
from store.sqlite.door import SqliteDoor
from store.sqlite.migrate import migrate
from store.sqlite.people import SqlitePeople
from touchpoints.moment import MINUTE
from touchpoints.problem import ProblemError

pytestmark = pytest.mark.anyio

DIGEST = hashlib.sha256(b"token").digest()


@pytest.fixture(params=[AiosqliteDatabase, InlineDatabase])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    path = tmp_path / "configuration.db"
    found: Database = await request.param.open(Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True))
    await found.run(lambda db: migrate(db, "configuration", path=path, now=1))
    yield found
    await found.close()


@pytest.fixture
def people(database: Database) -> SqlitePeople:
    return SqlitePeople(database)


async def test_a_token_is_found_by_its_digest(people: SqlitePeople) -> None:
    """A token is known by its digest alone, and each use is noted at most once a minute."""
    await people.add_token("ci", Scope.OPERATE, DIGEST, now=10)
    assert await people.token_by_digest(hashlib.sha256(b"other").digest(), now=11) is None
    found = await people.token_by_digest(DIGEST, now=20)
    assert found is not None
    assert (found.name, found.scope, found.created_at) == ("ci", Scope.OPERATE, 10)
    await people.token_by_digest(DIGEST, now=19 + MINUTE)
    assert [token.last_used_at for token in await people.tokens()] == [20]
    await people.token_by_digest(DIGEST, now=20 + MINUTE)
    assert [token.last_used_at for token in await people.tokens()] == [20 + MINUTE]


async def test_a_name_is_given_once(people: SqlitePeople) -> None:
    """A second token of the same name is told, and the first stays."""
    await people.add_token("ci", Scope.READ, DIGEST, now=10)
    with pytest.raises(ProblemError) as caught:
        await people.add_token("ci", Scope.ADMIN, hashlib.sha256(b"other").digest(), now=11)
    assert caught.value.problems[0].code == "token_exists"
    assert [token.scope for token in await people.tokens()] == [Scope.READ]


async def test_a_revoked_token_is_gone(people: SqlitePeople) -> None:
    """Revoking says whether there was one."""
    await people.add_token("ci", Scope.READ, DIGEST, now=10)
    assert await people.revoke_token("ci")
    assert not await people.revoke_token("ci")
    assert await people.token_by_digest(DIGEST, now=11) is None


async def test_a_token_works_when_its_use_cannot_be_noted(people: SqlitePeople, database: Database) -> None:
    """A store that cannot be written refuses no bearer, and an audit line that cannot be written undoes no deed."""
    await people.add_token("ci", Scope.READ, DIGEST, now=10)
    await database.run(lambda db: db.execute("PRAGMA query_only = 1"))
    assert await people.token_by_digest(DIGEST, now=11) is not None
    await people.audit(AuditLine(at=1, actor="machine", action="events.replay", detail=""))
    with pytest.raises(sqlite3.OperationalError):
        await people.set_password("ann", "hash", now=1)


async def test_persons_have_one_password(people: SqlitePeople) -> None:
    """Setting a password adds a person, setting it again replaces it."""
    assert await people.persons() == []
    assert await people.password_hash("ann") is None
    await people.set_password("bob", "1", now=1)
    await people.set_password("ann", "2", now=2)
    await people.set_password("bob", "3", now=3)
    assert await people.persons() == ["ann", "bob"]
    assert await people.password_hash("bob") == "3"


async def test_the_last_person_stays(people: SqlitePeople, database: Database) -> None:
    """Whoever could sign in last still can; a name nobody has removes nobody; who is removed is signed out."""
    door = SqliteDoor(database)
    await people.set_password("ann", "1", now=1)
    await door.open_session(DIGEST, "ann", now=1)
    assert not await people.remove_person("ann")
    await people.set_password("bob", "2", now=2)
    assert not await people.remove_person("eve")
    assert await door.session(DIGEST, now=2) is not None
    assert await people.remove_person("ann")
    assert await door.session(DIGEST, now=2) is None
    assert not await people.remove_person("bob")
    assert await people.persons() == ["bob"]


async def test_the_audit_log_pages_from_the_newest(people: SqlitePeople) -> None:
    """Lines come newest first, a page at a time, and a detail without end is cut off."""
    for at in range(5):
        await people.audit(AuditLine(at=at, actor="token:ci", action="events.replay", detail="x" * 10_000))
    first = await people.audited(limit=2)
    assert [line.at for _, line in first] == [4, 3]
    assert len(first[0][1].detail) == 4096
    assert [line.at for _, line in await people.audited(limit=9, before=first[-1][0])] == [2, 1, 0]
