"""Names: what an organisation cannot be called, and what agents may call themselves without standing in another's place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.proxy.server import ProxyServer
from store.people import Scope
from tests.operator.kit import Person, program
from tests.page.attacker import MARK
from tests.web.proxy.kit import MACHINE, proxy_over
from web.guard_token import token_digest

pytestmark = pytest.mark.anyio

REFUSED = [
    f"<{MARK}>",
    '"onclick=1',
    "acme\n",
    "acme\u2028",
    " acme",
    "acme/../x",
    "..",
    "a%2fb",
    "\u202eemca",
    "аcme",
    "ａｃｍｅ",
    "acmé",
    "acm\u0065\u0301",
    "ACME",
    "xn--acme-tva",
    "127-0-0-1",
    "admin",
    "adrnin",
    "h00kport",
    "1ogin",
    "=cmd",
    "nul",
    "a" * 64,
    "",
]


@pytest.mark.parametrize("name", REFUSED)
async def test_what_no_organisation_is_called(role: ProxyServer, ann: Person, name: str) -> None:
    """By the API, the page (which takes blanks around a name for a slip) and a file; nothing is added, and nothing crashes."""
    async with program(role) as api:
        answers = [await api.post("/organisations", json={"name": name})]
        file = f'[[organisation]]\nname = "{name}"\n'.replace('"onclick', "'onclick").replace("acme\n", "acme\\n")
        answers.append(await api.post("/configuration", json={"toml": file}))
        if name.strip() != "acme":
            answers.append(await ann.post("/add-organisation", name=name))
    assert {answer.status_code for answer in answers} <= {400, 409, 422}
    assert f"<{MARK}>" not in answers[-1].text
    assert await role.control.organisations() == []


async def test_a_name_that_is_taken_for_another_is_refused(role: ProxyServer) -> None:
    """Beside the one that a hasty reader would take it for; the other way round as well."""
    async with program(role) as api:
        assert (await api.post("/organisations", json={"name": "acme"})).status_code == 201
        refused = await api.post("/organisations", json={"name": "acrne"})
        assert (refused.status_code, refused.json()["problems"][0]["code"]) == (409, "domain_confusable")


async def test_no_name_hides_a_screen_of_the_page(role: ProxyServer, ann: Person) -> None:
    """An organisation may be called as any word in the page's addresses, and still is looked at, changed and removed."""
    for name in ("add", "add-organisation", "begin", "settings", "organisations", "export", "sign-in", "live", "code"):
        added = await ann.post("/add-organisation", name=name, quota_events="", quota_bytes="")
        assert added.status_code == 200, name
        shown = (await ann.get(f"/organisations/{name}")).text
        assert f"<h1>{name}</h1>" in shown
        assert (await ann.post(f"/organisations/{name}/quota", quota_events="7", quota_bytes="")).status_code == 303
        assert (await role.control.organisation(name)).own_events == 7
        assert (await ann.post(f"/organisations/{name}/remove", typed=name)).headers["location"] == "/"
    assert "<h1>" in (await ann.get("/add-organisation")).text


async def test_an_agent_that_calls_itself_by_anothers_id_is_not_taken_for_it(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Whether the other one still speaks or not, deeds by id mean the one whose id it is."""
    async with proxy_over(tmp_path / "proxy", free_port()) as site:
        lost = await site.tenant("acme")
        await site.post(lost)
        await lost.drain()
        control, real = site.role.control, lost.pairing.agent_id
        await control.revoke("acme", real, actor=MACHINE)
        poser = await site.join((await control.code("acme", replaces="", actor=MACHINE)).text, name=real)
        assert await control.take_over("acme", real, actor=MACHINE) == 1
        await control.revoke("acme", real, actor=MACHINE)
        told = {one.id: one.state for one in (await control.organisation("acme")).agents}
    assert told == {real: "revoked", poser.pairing.agent_id: "waiting"}


@pytest.mark.parametrize("scope", [Scope.READ, Scope.OPERATE])
async def test_every_deed_of_the_api_asks_for_a_scope(role: ProxyServer, scope: Scope) -> None:
    """All that the description names beside reading is closed to scope read; all but take-over to scope operate."""
    await role.opened.people.add_token("t", scope, token_digest("value"), now=1)
    async with program(role, "value") as api:
        paths = (await api.get("/openapi.json")).json()["paths"]
        deeds = [(method, path) for path, methods in paths.items() for method in methods if method != "get"]
        open_to_it = [
            path
            for method, path in deeds
            if (await api.request(method, path.removeprefix("/api/v1").replace("{", "").replace("}", ""), json={})).status_code
            != 403
        ]
    assert len(deeds) > 8
    assert open_to_it == ([] if scope is Scope.READ else ["/api/v1/organisations/{name}/agents/{agent}/take-over"])
