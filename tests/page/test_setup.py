"""Setting up: the one-time link, the password, how webhooks arrive, the first touchpoint."""

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from appliance.agent import Agent
from appliance.clock import Clock
from appliance.data_folder import DataFolder
from appliance.opening import open_folder
from appliance.setup import link_at_start
from tests.appliance.agents import MACHINE, agent_over
from tests.page.doorstep import (
    HERE,
    NAVIGATES,
    OWN_FORM,
    OWN_LINK,
    PASSWORD,
    PASSWORD_HASH,
    TYPED,
    audited,
    browser,
    doorstep,
    sign_in,
)
from touchpoints.moment import MINUTE
from touchpoints.problem import ProblemError
from web.page.password import password_problem
from web.page.setup_link import LIVES, SetupLink

pytestmark = pytest.mark.anyio

NEW = {"name": "ann", "password": PASSWORD, "repeated": PASSWORD}


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Agent]:
    """Nobody has a password yet."""
    async with doorstep(tmp_path / "data", person=None) as made:
        yield made


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[tuple[Agent, httpx.AsyncClient]]:
    """An agent that runs, and ann signed in."""
    async with agent_over(tmp_path / "data") as agent:
        await agent._opened.people.set_password("ann", PASSWORD_HASH, now=0)
        async with browser(agent) as client:
            await sign_in(client)
            yield agent, client


def test_a_link_lives_half_an_hour_and_once() -> None:
    """Opening spends nothing; spending does; the older one dies when a fresh one is made."""
    now, made = [0], iter(("a" * 43, "b" * 43, "c" * 43))
    link = SetupLink(now=lambda: now[0], new_token=lambda: next(made))
    assert not link.opens("")
    assert link.renew() == f"/setup/{'a' * 43}"
    assert link.opens("a" * 43)
    assert link.opens("a" * 43)
    link.renew()
    assert not link.opens("a" * 43)
    now[0] = LIVES - 1
    assert link.spend("b" * 43)
    assert not link.spend("b" * 43)
    assert not link.opens("b" * 43)
    link.renew()
    now[0] += LIVES
    assert not link.opens("c" * 43)
    assert LIVES == 30 * MINUTE


async def test_the_first_password(fresh: Agent) -> None:
    """The link opens as often as one likes, a weak password is told why, a good one signs in and ends the setup."""
    path = await link_at_start(fresh._opened, fresh.link)
    assert path is not None
    async with browser(fresh) as client:
        for _ in range(2):
            assert 'value="admin"' in (await client.get(path, headers=TYPED)).text
        weak = await client.post(path, data={**NEW, "password": "short", "repeated": "short"}, headers=OWN_FORM)
        assert weak.status_code == 422
        assert "fewer than 10 characters" in weak.text
        assert 'value="short"' not in weak.text
        odd = await client.post(path, data={**NEW, "repeated": "other", "name": "a<b"}, headers=OWN_FORM)
        assert "are not the same" in odd.text
        assert "A name has 1 to 64" in odd.text
        done = await client.post(path, data=NEW, headers=OWN_FORM)
        assert (done.status_code, done.headers["location"]) == (303, "/begin/arrival")
        assert (await client.get("/begin/arrival", headers=OWN_LINK)).status_code == 200
        for method in ("GET", "POST"):
            again = await client.request(method, path, headers=OWN_FORM, data=NEW if method == "POST" else None)
            assert again.status_code == 404
    assert await link_at_start(fresh._opened, fresh.link) is None
    assert ("ann", "person.first") in await audited(fresh)


async def test_a_second_start_ends_the_first_link(tmp_path: Path) -> None:
    """Each start has a fresh link while nobody can sign in; the old one finds nothing."""
    async with doorstep(tmp_path / "data", person=None) as agent:
        first = await link_at_start(agent._opened, agent.link)
    async with doorstep(tmp_path / "data", person=None) as agent, browser(agent) as client:
        second = await link_at_start(agent._opened, agent.link)
        assert first is not None
        assert second not in (None, first)
        assert (await client.get(first, headers=TYPED)).status_code == 404
        assert (await client.get(second or "", headers=TYPED)).status_code == 200


async def test_the_link_works_on_this_machine_alone(fresh: Agent) -> None:
    """Neither from another address, nor under another name, nor by another site's form, nor guessed."""
    path = fresh.link.renew()
    async with browser(fresh, address="192.0.2.7") as client:
        assert (await client.get(path, headers=TYPED)).status_code == 404
        assert (await client.post(path, data=NEW, headers=OWN_FORM)).status_code == 404
    async with browser(fresh) as client:
        assert (await client.get("/setup/guessed", headers=TYPED)).status_code == 404
        strange = {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "same-site", **NAVIGATES}
        assert (await client.post(path, data=NEW, headers=strange)).status_code == 403
        assert (await client.post(path, data=NEW, headers={**OWN_FORM, "host": "evil.example"})).status_code == 403
    assert await fresh._opened.people.persons() == []


async def test_a_missing_configuration_does_not_open_the_setup(tmp_path: Path) -> None:
    """Where a key or events stand without the configuration, the program stops in words."""
    async with doorstep(tmp_path / "data"):
        pass
    for left in (tmp_path / "data").glob("configuration.db*"):
        left.unlink()
    with pytest.raises(ProblemError) as caught:
        await open_folder(DataFolder(path=tmp_path / "data"), Clock())
    assert caught.value.problems[0].code == "configuration_missing"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("ninechars", "password_short"),
        ("x" * 1025, "password_long"),
        ("abababababab", "password_plain"),
        ("Johanna2026", "password_is_name"),
        ("passWord1234", "password_common"),
        ("12345678901", "password_common"),
        ("horse battery", None),
        ("Johanna likes horses", None),
    ],
)
def test_a_weak_password_is_told_why(password: str, code: str | None) -> None:
    """Length counts; besides it only what is tried first is refused."""
    found = password_problem(password, "johanna")
    assert (found.code if found else None) == code


async def test_direct_is_bound_before_it_is_saved(live: tuple[Agent, httpx.AsyncClient], free_port: Callable[[], int]) -> None:
    """A taken port is named with a free one as a button, and nothing is saved; the free one is then listened on."""
    agent, client = live
    await agent.control.apply({"agent": {"listen": "127.0.0.1"}}, base="", digest="", prune=False, dry_run=False, actor=MACHINE)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        form = {"mode": "direct", "host_public_url": "https://hooks.example.com", "port": str(taken)}
        told = await client.post("/begin/arrival", data=form, headers=OWN_FORM)
        assert told.status_code == 422
        assert f"Port {taken} on 127.0.0.1 is already in use" in told.text
        assert agent.configuration.agent.mode is None
        free = told.text.partition('name="free_port" value="')[2].partition('"')[0]
        moved = await client.post("/begin/arrival", data={**form, "free_port": free}, headers=OWN_FORM)
        assert (moved.status_code, moved.headers["location"]) == (303, "/begin/touchpoint")
    assert agent.configuration.agent.port == int(free)
    assert agent.direct.address == f"127.0.0.1:{free}"
    for port in ("0", "x", "65536", "", "８４２０"):
        assert (await client.post("/begin/arrival", data={**form, "port": port}, headers=OWN_FORM)).status_code == 422
    shown = (await client.get("/begin/arrival", headers=OWN_LINK)).text
    assert f'value="{free}"' in shown


async def test_the_first_touchpoint_and_its_first_event(
    live: tuple[Agent, httpx.AsyncClient], free_port: Callable[[], int]
) -> None:
    """Made by a form, tested, waited for; the wait turns green by itself when an event comes."""
    agent, client = live
    port = free_port()
    document = {
        "agent": {"mode": "direct", "listen": "127.0.0.1", "port": port, "host_public_url": f"http://127.0.0.1:{port}"},
        "retention": {"free_disk": 0},
    }
    applied = await agent.control.apply(document, base="", digest="", prune=False, dry_run=False, actor=MACHINE)
    assert applied.problems == ()
    form = {"name": "orders", "provider": "generic", "secret": "hush", "scheme": "token", "header": "X-Key", "kind": "http"}
    wrong = await client.post("/begin/touchpoint", data={**form, "url": "nonsense"}, headers=OWN_FORM)
    assert wrong.status_code == 422
    assert 'value="orders"' in wrong.text
    assert "hush" not in wrong.text
    made = await client.post("/begin/touchpoint", data={**form, "url": "http://127.0.0.1:1/"}, headers=OWN_FORM)
    assert (made.status_code, made.headers["location"]) == (303, "/begin/touchpoint/orders")
    again = await client.post("/begin/touchpoint", data={**form, "url": "http://127.0.0.1:1/"}, headers=OWN_FORM)
    assert "already is a touchpoint" in again.text

    page = (await client.get("/begin/touchpoint/orders", headers=OWN_LINK)).text
    assert f"http://127.0.0.1:{port}/hooks/orders" in page
    assert 'hx-get="/begin/touchpoint/orders/first"' in page
    tested = (await client.post("/begin/touchpoint/orders/test", headers=OWN_FORM)).text
    assert "received and checked" in tested
    waits = (await client.get("/begin/touchpoint/orders/first", headers=OWN_LINK)).text
    assert "Waiting for the first event" in waits

    async with httpx.AsyncClient() as sender:
        url = f"http://127.0.0.1:{port}/hooks/orders"
        assert (await sender.post(url, json={"a": 1}, headers={"x-key": "hush"})).status_code == 200
    came = (await client.get("/begin/touchpoint/orders/first", headers=OWN_LINK)).text
    assert "The first event has arrived" in came
    assert "hx-get" not in came
    assert (await client.get("/begin/touchpoint/nothing", headers=OWN_LINK)).status_code == 404


async def test_a_folder_takes_the_password_again(live: tuple[Agent, httpx.AsyncClient], tmp_path: Path) -> None:
    """A session alone may not make Hookport write to the disk, and no password makes it write where it never may."""
    agent, client = live
    form = {"name": "orders", "provider": "shopify", "secret": "hush", "kind": "folder", "path": str(tmp_path / "in")}
    cases: tuple[tuple[dict[str, str], str], ...] = (
        ({}, "This is not your password."),
        ({"password": "wrong"}, "This is not your password."),
        ({"password": PASSWORD, "path": "in"}, "does not say where it begins"),
        ({"password": PASSWORD, "path": str(agent._opened.folder.path / "x")}, "Hookport itself"),
        ({"password": PASSWORD, "secret": "env:HOME"}, "only be set on the machine itself"),
    )
    for given, words in cases:
        told = await client.post("/begin/touchpoint", data={**form, **given}, headers=OWN_FORM)
        assert told.status_code == 422
        assert words in told.text
    assert names(agent) == []
    made = await client.post("/begin/touchpoint", data={**form, "password": PASSWORD}, headers=OWN_FORM)
    assert made.status_code == 303
    assert names(agent) == ["orders"]
    session = {"sec-fetch-site": "same-origin", "origin": HERE}
    moved = {"toml": f"[[touchpoint]]\nname = 'orders'\n[[touchpoint.destination]]\nname='folder'\npath = '{tmp_path}'\n"}
    refused = await client.post("/api/v1/configuration", json=moved, headers=session)
    assert "needs_machine" in refused.text


def names(agent: Agent) -> list[str]:
    """What the touchpoints are called."""
    return [one.name for one in agent.configuration.touchpoints]
