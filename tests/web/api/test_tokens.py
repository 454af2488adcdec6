"""API tokens and what their scopes open."""

import pytest

from store.people import Scope
from tests.web.api.stand_in import StandIn
from web.guard_token import token_digest

pytestmark = pytest.mark.anyio


async def test_a_token_is_shown_once_works_and_can_be_revoked(stand_in: StandIn) -> None:
    """The value stands in one answer only; revoked, it opens nothing; both are in the audit log."""
    async with stand_in.client() as client:
        made = await client.post("/api/v1/tokens", json={"name": "nagios", "scope": "operate"})
        assert made.status_code == 201
        value = made.json()["token"]
        assert value not in (await client.get("/api/v1/tokens")).text
        assert (await client.get("/api/v1/status", headers={"authorization": f"bearer {value}"})).status_code == 200
        assert (await client.delete("/api/v1/tokens/nagios")).json() == {"revoked": "nagios"}
        gone = await client.get("/api/v1/status", headers={"authorization": f"Bearer {value}"})
        assert gone.json()["problems"][0]["code"] == "token_wrong"
        audit = (await client.get("/api/v1/audit", params={"limit": 1})).json()
    assert audit["audit"][0]["action"] == "tokens.revoke"
    assert audit["next_before"] == 2
    assert value not in str(stand_in.people.lines)


@pytest.mark.parametrize(("body", "status"), [({"name": ""}, 400), ({"name": "a\x1b"}, 400), ({"name": "taken"}, 409)])
async def test_a_bad_or_taken_name_is_refused(stand_in: StandIn, body: dict[str, str], status: int) -> None:
    """A token's name is printable and its own."""
    await stand_in.people.add_token("taken", Scope.READ, b"", now=0)
    async with stand_in.client() as client:
        assert (await client.post("/api/v1/tokens", json=body)).status_code == status
        assert (await client.delete("/api/v1/tokens/unknown")).status_code == 404


async def test_a_session_makes_no_token(stand_in: StandIn) -> None:
    """It would outlive the session, and whoever stole that would keep it: the page's form wants the password."""
    async with stand_in.signed_in() as client:
        assert (await client.get("/api/v1/tokens")).status_code == 200
        refused = await client.post("/api/v1/tokens", json={"name": "mine", "scope": "admin"})
        assert (refused.status_code, refused.json()["problems"][0]["code"]) == (403, "token_by_session")
        assert (await client.get("/api/v1/tokens")).json() == {"tokens": []}


CALLS = [
    (Scope.READ, "GET", "/api/v1/status"),
    (Scope.READ, "GET", "/api/v1/touchpoints"),
    (Scope.READ, "GET", "/api/v1/events"),
    (Scope.READ, "GET", "/api/v1/export/deliveries"),
    (Scope.OPERATE, "GET", "/api/v1/files/check"),
    (Scope.ADMIN, "POST", "/api/v1/files/events/start-empty"),
    (Scope.OPERATE, "GET", "/api/v1/configuration"),
    (Scope.OPERATE, "POST", "/api/v1/events/act/hold"),
    (Scope.OPERATE, "POST", "/api/v1/touchpoints/orders/test"),
    (Scope.ADMIN, "POST", "/api/v1/configuration"),
    (Scope.ADMIN, "POST", "/api/v1/touchpoints"),
    (Scope.ADMIN, "POST", "/api/v1/touchpoints/orders/rename"),
    (Scope.ADMIN, "DELETE", "/api/v1/touchpoints/orders"),
    (Scope.ADMIN, "GET", "/api/v1/tokens"),
    (Scope.ADMIN, "POST", "/api/v1/tokens"),
    (Scope.ADMIN, "DELETE", "/api/v1/tokens/x"),
    (Scope.ADMIN, "GET", "/api/v1/audit"),
]


@pytest.mark.parametrize(("needed", "method", "path"), CALLS)
async def test_each_scope_includes_the_ones_before_it(stand_in: StandIn, needed: Scope, method: str, path: str) -> None:
    """A smaller scope gets 403 with the scope it needs; the needed one and greater ones get past the guard."""
    for scope in Scope:
        await stand_in.people.add_token(scope.value, scope, token_digest(f"value-{scope}"), now=0)
        async with stand_in.client(token=f"value-{scope}") as client:
            answer = await client.request(method, path)
        allowed = list(Scope).index(scope) >= list(Scope).index(needed)
        assert (answer.status_code != 403) is allowed, scope


OPERATES = {"/api/v1/events/act/{action}", "/api/v1/touchpoints/{name}/test", "/api/v1/alerts/test"}


@pytest.mark.parametrize(("scope", "allowed"), [(Scope.READ, set[str]()), (Scope.OPERATE, OPERATES)])
async def test_no_deed_is_open_to_a_lesser_scope(stand_in: StandIn, scope: Scope, allowed: set[str]) -> None:
    """Of all that the description names beside reading: a new one that forgets its guard is found here."""
    await stand_in.people.add_token("t", scope, token_digest("value"), now=0)
    async with stand_in.client(token="value") as client:
        paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
        deeds = [(method, path) for path, methods in paths.items() for method in methods if method != "get"]
        statuses = {}
        for method, path in deeds:
            asked = path.replace("{action}", "hold").replace("{name}", "orders").replace("{", "").replace("}", "")
            statuses[path] = (await client.request(method, asked, json={})).status_code
    assert len(deeds) > 20
    assert {path for path, status in statuses.items() if status != 403} == allowed


async def test_no_api_token_is_a_machine(stand_in: StandIn) -> None:
    """Only the per-start token carries the right to name files and variables of this machine."""
    await stand_in.people.add_token("boss", Scope.ADMIN, token_digest("value"), now=0)
    for token, machine in (("value", False), ("machine-token-of-this-start", True)):
        async with stand_in.client(token=token) as client:
            answer = await client.post("/api/v1/configuration", json={"toml": "", "base": "/etc"})
        assert answer.status_code == 200
        assert stand_in.control.calls[-1][-1].machine is machine
