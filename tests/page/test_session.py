"""Sessions: the cookie, its life, and that nobody can plant one."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.agent import Agent
from store.door import IDLE, LONGEST
from store.sqlite.database import CONFIGURATION_APPLICATION, InlineDatabase, Opener
from store.sqlite.door import SqliteDoor
from store.sqlite.migrate import migrate
from store.sqlite.people import SqlitePeople
from tests.page.doorstep import HERE, OWN_FORM, OWN_LINK, PASSWORD, TYPED, audited, browser, cookie_of, doorstep, sign_in
from touchpoints.moment import HOUR, MINUTE
from web.guard_session import cookie_name, session_values

pytestmark = pytest.mark.anyio

DIGEST = hashlib.sha256(b"value").digest()


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    async with doorstep(tmp_path / "data") as made:
        yield made


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[InlineDatabase]:
    path = tmp_path / "configuration.db"
    made = await InlineDatabase.open(Opener(path=path, application_id=CONFIGURATION_APPLICATION, writer=True))
    await made.run(lambda db: migrate(db, "configuration", path=path, now=1))
    yield made
    await made.close()


async def test_the_cookie_is_closed_to_scripts_and_strangers(agent: Agent) -> None:
    """HttpOnly, SameSite=Strict, the whole site, named after the instance; Secure under TLS alone; 256 bits."""
    async with browser(agent) as client:
        name, value, attributes = cookie_of(await sign_in(client))
    assert name == cookie_name(agent._instance)
    assert len(value) >= 43
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in attributes.split(";")}
    assert "secure" not in attributes
    assert "domain" not in attributes
    async with browser(agent, base="https://localhost:8421") as client:
        assert "secure" in cookie_of(await sign_in(client))[2]


async def test_the_value_is_kept_nowhere(agent: Agent) -> None:
    """On disk there is a digest; a thief of the file can sign in with nothing in it."""
    async with browser(agent) as client:
        value = cookie_of(await sign_in(client))[1]
    assert all(value.encode() not in file.read_bytes() for file in agent._opened.folder.path.glob("*.db*"))
    digests = await agent._opened.database.run(lambda db: db.execute("SELECT digest FROM sessions").fetchall())
    assert digests == [(hashlib.sha256(value.encode()).digest(),)]


async def test_a_planted_session_is_not_taken_up(agent: Agent) -> None:
    """Whatever cookie a browser comes with, the sign-in gives it another, and the planted one opens nothing."""
    name = cookie_name(agent._instance)
    async with browser(agent) as client:
        client.cookies.set(name, "planted", domain="127.0.0.1")
        _, value, _ = cookie_of(await sign_in(client))
        first = value
        assert value != "planted"
        _, value, _ = cookie_of(await sign_in(client))
        assert value != first
    for old in ("planted", first):
        async with browser(agent) as thief:
            answer = await thief.get("/settings", headers={**TYPED, "cookie": f"{name}={old}"})
            assert answer.status_code in (303, 404)
            assert (await thief.get("/begin/password", headers={**TYPED, "cookie": f"{name}={old}"})).status_code == 303


async def test_signing_out_ends_the_session(agent: Agent) -> None:
    """The cookie is taken back, and its value is worth nothing any more."""
    async with browser(agent) as client:
        name, value, _ = cookie_of(await sign_in(client))
        assert (await client.get("/begin/password", headers=OWN_LINK)).status_code == 200
        assert (await client.get("/sign-out", headers=OWN_LINK)).status_code == 200
        left = await client.post("/sign-out", headers=OWN_FORM)
        assert left.headers["location"] == "/sign-in"
        assert "max-age=0" in cookie_of(left)[2]
        again = await client.get("/begin/password", headers={**TYPED, "cookie": f"{name}={value}"})
        assert again.headers["location"] == "/sign-in?next=/begin/password"
    assert ("ann", "person.sign_out") in await audited(agent)


async def test_a_password_change_ends_all_sessions(agent: Agent) -> None:
    """Whoever else is signed in under this name is out; the browser that changed it stays in, by a new value."""
    async with browser(agent) as mine, browser(agent) as other:
        await sign_in(mine)
        await sign_in(other)
        form = {"current": PASSWORD, "password": "correct horse battery", "repeated": "correct horse battery"}
        wrong = await mine.post("/begin/password", data={**form, "current": "wrong"}, headers=OWN_FORM)
        assert wrong.status_code == 422
        assert "This is not your password." in wrong.text
        assert (await other.get("/begin/password", headers=OWN_LINK)).status_code == 200
        assert (await mine.post("/begin/password", data=form, headers=OWN_FORM)).status_code == 303
        assert (await other.get("/begin/password", headers=OWN_LINK)).status_code == 303
        assert (await mine.get("/begin/password", headers=OWN_LINK)).status_code == 200
    assert ("ann", "person.password") in await audited(agent)


async def test_a_session_ends_by_idleness_and_by_age(database: InlineDatabase) -> None:
    """Half a day without use, or a week whatever the use."""
    await SqlitePeople(database).set_password("ann", "hash", now=0)
    door = SqliteDoor(database)
    await door.open_session(DIGEST, "ann", now=0)
    assert await door.session(DIGEST, now=IDLE) is None
    for now in range(HOUR, LONGEST, HOUR):
        assert await door.session(DIGEST, now=now) is not None
    assert await door.session(DIGEST, now=LONGEST) is None
    await door.open_session(hashlib.sha256(b"next").digest(), "ann", now=LONGEST + MINUTE)
    assert await database.run(lambda db: db.execute("SELECT count(*) FROM sessions").fetchone()) == (1,)


async def test_a_session_lives_when_its_use_cannot_be_noted(database: InlineDatabase) -> None:
    """A disk that is full signs nobody out."""
    await SqlitePeople(database).set_password("ann", "hash", now=0)
    door = SqliteDoor(database)
    await door.open_session(DIGEST, "ann", now=0)
    await database.run(lambda db: db.execute("PRAGMA query_only = 1"))
    assert await door.session(DIGEST, now=HOUR) is not None


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([b"hookport-01234567=a"], ("a",)),
        ([b"x=1; hookport-01234567=a; y=2"], ("a",)),
        ([b"x=1", b"hookport-01234567=a"], ("a",)),
        ([b"hookport-01234567=a; hookport-01234567=b; hookport-01234567=a"], ("a", "b")),
        ([b"hookport-01234567=a", b"hookport-01234567=b"], ("a", "b")),
        ([b"hookport-89abcdef=a"], ()),
        ([b"hookport-01234567="], ()),
        ([b"hookport-01234567=" + b"a" * 600], ()),
        ([b"; ".join(b"hookport-01234567=%d" % number for number in range(5))], ()),
    ],
)
def test_cookies_that_may_be_sessions(headers: list[bytes], found: tuple[str, ...]) -> None:
    """An empty one, another instance's, an endless one, or one of a heap is none."""
    assert session_values([(b"cookie", line) for line in headers], cookie_name("0123456789abcdef")) == found


async def test_a_cookie_planted_beside_the_session_changes_nothing(agent: Agent) -> None:
    """A stranger's value neither signs out nor in; where both are living sessions none counts; signing out ends them all."""
    async with browser(agent) as client, browser(agent) as insider, browser(agent) as bare:
        name, value, _ = cookie_of(await sign_in(client))
        other = cookie_of(await sign_in(insider))[1]

        async def status(*values: str) -> int:
            line = "; ".join(f"{name}={one}" for one in values)
            return (await bare.get("/begin/password", headers={**TYPED, "cookie": line})).status_code

        assert [await status(value, "planted"), await status("planted", value), await status("planted")] == [200, 200, 303]
        assert await status(value, other) == 303
        line = f"{name}=planted; {name}={value}"
        assert (await bare.post("/sign-out", headers={**OWN_FORM, "cookie": line})).status_code == 303
        assert [await status(value), await status(other)] == [303, 200]


async def test_a_session_opens_the_api_to_our_own_pages(agent: Agent) -> None:
    """Our scripts may ask the API; a link, another site's fetch, and a missing Origin may not. A token needs none of it."""
    async with browser(agent) as client:
        await sign_in(client)
        own = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
        assert (await client.get("/api/v1/tokens", headers=own)).status_code == 200
        for strange in (
            {**own, "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
            {"origin": "http://127.0.0.1:3000"},
            {},
        ):
            refused = await client.get("/api/v1/tokens", headers=strange)
            assert (refused.status_code, refused.json()["problems"][0]["code"]) == (403, "origin_strange")
        token = {"authorization": f"Bearer {agent.machine_token}", "origin": "http://evil.example"}
        assert (await client.get("/api/v1/tokens", headers=token)).status_code == 200
        reset = await client.post("/api/v1/admin/reset", headers={**own, "origin": HERE})
        assert reset.status_code == 403
