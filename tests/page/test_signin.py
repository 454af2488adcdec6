"""Signing in, without a script."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.agent import Agent
from store.password import hash_password, verify_password
from tests.page.doorstep import OWN_LINK, PASSWORD, TYPED, audited, browser, doorstep, sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    async with doorstep(tmp_path / "data") as made:
        yield made


async def test_a_person_signs_in_and_gets_where_they_wanted(agent: Agent) -> None:
    """A page leads to the sign-in, the form carries on what was wanted, and then it is there."""
    async with browser(agent) as client:
        led = await client.get("/begin/touchpoint", headers=TYPED)
        assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=/begin/touchpoint")
        form = (await client.get(led.headers["location"], headers=OWN_LINK)).text
        assert '<input type="hidden" name="next" value="/begin/touchpoint">' in form
        answer = await sign_in(client, onward="/begin/touchpoint")
        assert (answer.status_code, answer.headers["location"]) == (303, "/begin/touchpoint")
        assert (await client.get("/begin/touchpoint", headers=OWN_LINK)).status_code == 200
    assert ("ann", "person.sign_in") in await audited(agent)


async def test_a_wrong_password_and_an_unknown_person_are_told_alike(agent: Agent) -> None:
    """The answer shows not whether there is such a person; the audit log keeps both tries."""
    async with browser(agent) as client:
        wrong = await sign_in(client, password="wrong wrong wrong")
        unknown = await sign_in(client, name="<bob>", password="wrong wrong wrong")
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.text == unknown.text.replace("&lt;bob&gt;", "ann")
    assert "wrong wrong wrong" not in wrong.text
    assert "set-cookie" not in wrong.headers
    lines = await audited(agent)
    assert ("ann", "person.sign_in_failed") in lines
    assert ("<bob>", "person.sign_in_failed") in lines


async def test_an_unknown_person_costs_as_much(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """One argon2 verification of the same cost is made whether there is such a person or not."""
    await agent._opened.people.set_password("ann", hash_password(PASSWORD), now=0)
    checked: list[str] = []

    def counted(kept: str, password: str) -> bool:
        checked.append(kept)
        return verify_password(kept, password)

    monkeypatch.setattr("web.page.password.verify_password", counted)
    async with browser(agent) as client:
        await sign_in(client, password="wrong")
        await sign_in(client, name="bob", password="wrong")
        await sign_in(client, name="bob", password="nobody has this password")
    assert len(checked) == 3
    assert {kept.rsplit("$", 2)[0] for kept in checked} == {checked[0].rsplit("$", 2)[0]}
    assert ("bob", "person.sign_in") not in await audited(agent)


async def test_before_the_setup_the_sign_in_tells_how_to_begin(tmp_path: Path) -> None:
    """There is no form to fill while nobody has a password."""
    async with doorstep(tmp_path / "data", person=None) as agent, browser(agent) as client:
        page = (await client.get("/sign-in", headers=TYPED)).text
        assert "hookport admin reset" in page
        assert "<input" not in page.partition("<main")[2].partition("</main>")[0]
        assert (await sign_in(client)).status_code == 403


async def test_a_form_is_answered_however_odd_it_is(agent: Agent) -> None:
    """Missing fields, doubled ones, and a password without end are refused in words."""
    async with browser(agent) as client:
        headers = {**OWN_LINK, "origin": "http://127.0.0.1:8421", "content-type": "application/x-www-form-urlencoded"}
        for body in (b"name=ann", b"name=ann&password=" + b"x" * 100_000, b"name=ann&password=%ff%fe"):
            assert (await client.post("/sign-in", content=body, headers=headers)).status_code == 403, body[:40]
        assert (await client.post("/sign-in", content=b"name=a&name=b&password=x", headers=headers)).status_code == 400
