"""The operator's JSON API."""

import json
from typing import Any

import pytest

from appliance.proxy.server import ProxyServer
from store.people import Scope
from tests.operator.kit import program
from touchpoints.pull.pairing import parse_code
from web.guard_token import token_digest

pytestmark = pytest.mark.anyio


async def test_an_organisation_from_its_first_code_to_its_end(role: ProxyServer) -> None:
    """Added, listed, looked at, given a quota, another code, removed."""
    async with program(role) as api:
        made = await api.post("/organisations", json={"name": "acme", "quota_events": 5})
        assert made.status_code == 201
        code = made.json()
        assert parse_code(code["code"]).find
        assert code["expires_at"].endswith("Z")
        [one] = (await api.get("/organisations")).json()["organisations"]
        assert (one["name"], one["state"], one["quota_events"], one["own_quota_events"]) == ("acme", "new", 5, 5)
        changed = (await api.patch("/organisations/acme", json={"quota_bytes": 2**20})).json()
        assert (changed["quota_events"], changed["own_quota_bytes"]) == (5, 2**20)
        changed = (await api.patch("/organisations/acme", json={"quota_events": None})).json()
        assert (changed["quota_events"], changed["own_quota_events"]) == (1_000_000, None)
        assert (await api.post("/organisations/acme/codes", json={})).json()["code"] != code["code"]
        assert (await api.get("/organisations/acme/agents")).json() == {"agents": []}
        assert (await api.delete("/organisations/acme")).json() == {"removed": "acme", "events": 0}
        assert (await api.get("/organisations")).json() == {"organisations": [], "next_after": None}
        again = await api.post("/organisations", json={"name": "acme"})
        assert (again.status_code, again.json()["problems"][0]["code"]) == (409, "domain_rests")


async def test_organisations_come_in_pages_by_name(role: ProxyServer) -> None:
    """None twice, none left out."""
    async with program(role) as api:
        for name in ("ccc", "aaa", "ddd", "bbb"):
            await api.post("/organisations", json={"name": name})
        found, after = [], ""
        while after is not None:
            page = (await api.get("/organisations", params={"limit": 3, "after": after})).json()
            found += [one["name"] for one in page["organisations"]]
            after = page["next_after"]
    assert found == ["aaa", "bbb", "ccc", "ddd"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/organisations", {"name": "ab"}, 400, "domain_short"),
        ("POST", "/organisations", {"name": "health"}, 400, "name_reserved"),
        ("POST", "/organisations", {"name": "known"}, 409, "domain_taken"),
        ("POST", "/organisations", {"name": "acme", "quota_events": 0}, 400, "bad_request"),
        ("POST", "/organisations", {"name": "acme", "quota_bytes": 1}, 400, "bad_request"),
        ("POST", "/organisations", {"name": "acme", "surprise": 1}, 400, "bad_request"),
        ("GET", "/organisations/nobody", None, 404, "organisation_unknown"),
        ("PATCH", "/organisations/nobody", {}, 404, "organisation_unknown"),
        ("DELETE", "/organisations/nobody", None, 404, "organisation_unknown"),
        ("POST", "/organisations/nobody/codes", {}, 404, "organisation_unknown"),
        ("POST", "/organisations/known/codes", {"replaces": "nobody"}, 400, "agent_unknown"),
        ("DELETE", "/organisations/known/agents/nobody", None, 404, "agent_unknown"),
        ("POST", "/organisations/known/agents/nobody/take-over", None, 404, "agent_unknown"),
        ("GET", "/organisations/nobody/export", None, 404, "organisation_unknown"),
        ("POST", "/files/events/start-empty", None, 400, "queue_file_usable"),
        ("POST", "/configuration", {"toml": "[server]\nprot = 1"}, 422, "unknown_key_similar"),
        ("POST", "/configuration", {"toml": "[agent]"}, 422, "agent_role"),
        ("POST", "/configuration", {"toml": '[server]\npublic_url = "https://p.example"'}, 422, "public_in_clear"),
    ],
)
async def test_what_cannot_be_done_is_told(
    role: ProxyServer, method: str, path: str, body: Any, status: int, code: str
) -> None:
    """A status for programs, a code and words for people."""
    async with program(role) as api:
        await api.post("/organisations", json={"name": "known"})
        answer = await api.request(method, path, json=body)
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (status, code)


READS = [("GET", "/status"), ("GET", "/organisations"), ("GET", "/organisations/acme"), ("GET", "/organisations/acme/agents")]
OPERATES = [("GET", "/configuration"), ("GET", "/files/check"), ("POST", "/organisations/acme/agents/front/take-over")]
ADMINISTERS = [
    ("POST", "/organisations"),
    ("PATCH", "/organisations/acme"),
    ("DELETE", "/organisations/acme"),
    ("POST", "/organisations/acme/codes"),
    ("DELETE", "/organisations/acme/agents/front"),
    ("GET", "/organisations/acme/export"),
    ("POST", "/configuration"),
    ("GET", "/tokens"),
    ("GET", "/audit"),
    ("POST", "/admin/reset"),
    ("POST", "/files/events/start-empty"),
]


@pytest.mark.parametrize(("scope", "allowed"), [(Scope.READ, READS), (Scope.OPERATE, [*READS, *OPERATES])])
async def test_a_token_may_do_what_its_scope_says(role: ProxyServer, scope: Scope, allowed: list[tuple[str, str]]) -> None:
    """And no more."""
    await role.opened.people.add_token("t", scope, token_digest("value"), now=1)
    async with program(role, "value") as api:
        for method, path in [*READS, *OPERATES, *ADMINISTERS]:
            answer = await api.request(method, path, json={} if method in ("POST", "PATCH") else None)
            assert (answer.status_code == 403) == ((method, path) not in allowed), (method, path, answer.text)


async def test_without_a_token_there_is_nothing_but_health(role: ProxyServer) -> None:
    """401, in words."""
    async with program(role, "wrong") as api:
        assert (await api.get("/status")).status_code == 401
        assert (await api.get("http://127.0.0.1/health")).json() == {"ok": True}


async def test_the_status_has_every_key_of_an_agents_and_the_queue(role: ProxyServer) -> None:
    """So that what watches agents watches proxies, too."""
    async with program(role) as api:
        found = (await api.get("/status")).json()
        tokens = (await api.post("/tokens", json={"name": "nagios"})).status_code
    assert {"version", "role", "running", "ok", "mode", "data_dir", "page", "direct", "proxy", "backlog", "needs_you"} <= set(
        found
    )
    assert found["role"] == "proxy"
    assert found["queue"] == {"events": 0, "bytes": 0, "organisations": 0, "connected": 0}
    assert [need["code"] for need in found["needs_you"]] == ["server_not_set_up"]
    assert tokens == 201


async def test_the_configuration_is_shown_and_applied(role: ProxyServer) -> None:
    """Settings and organisations; what was shown is accepted again and changes nothing."""
    text = '[server]\nmax_age_days = 7\n[[organisation]]\nname = "acme"\nquota_bytes = "2MiB"\n'
    async with program(role) as api:
        tried = (await api.post("/configuration", json={"toml": text, "dry_run": True})).json()
        assert [change["what"] for change in tried["changes"]] == ["added", "added", "added"]
        assert (await api.get("/organisations")).json()["organisations"] == []
        await api.post("/configuration", json={"toml": text})
        assert (await api.get("/organisations/acme")).json()["quota_bytes"] == 2 * 2**20
        shown = (await api.get("/configuration")).json()["toml"]
        assert (await api.post("/configuration", json={"toml": shown, "prune": True})).json()["changes"] == []
        assert role.configuration.server.max_age_days == 7


async def test_certificates_are_for_the_machine_alone(role: ProxyServer) -> None:
    """An API token may not name files."""
    await role.opened.people.add_token("t", Scope.ADMIN, token_digest("value"), now=1)
    text = '[server]\ntls_certificate = "/x.pem"\ntls_key = "/y.pem"\n'
    async with program(role, "value") as api:
        answer = await api.post("/configuration", json={"toml": text})
    assert (answer.status_code, {one["code"] for one in answer.json()["problems"]}) == (422, {"needs_machine"})


async def test_an_export_is_json_lines_and_the_audit_log_says_so(role: ProxyServer) -> None:
    """The organisation and its declaration; no secret but what is sealed."""
    async with program(role) as api:
        await api.post("/organisations", json={"name": "acme"})
        answer = await api.get("/organisations/acme/export")
        lines = [json.loads(line) for line in answer.content.splitlines()]
        audit = (await api.get("/audit")).json()["audit"]
    assert [line["kind"] for line in lines] == ["organisation", "declaration"]
    assert answer.headers["content-disposition"] == 'attachment; filename="acme.jsonl"'
    assert "organisation.export" in {line["action"] for line in audit}


async def test_the_description_names_every_path(role: ProxyServer) -> None:
    """OpenAPI, for whoever writes a program."""
    async with program(role) as api:
        found = (await api.get("/openapi.json")).json()["paths"]
    assert {path.replace("acme", "{name}").replace("front", "{agent}") for _, path in [*READS, *OPERATES, *ADMINISTERS]} <= {
        path.removeprefix("/api/v1") for path in found
    }
