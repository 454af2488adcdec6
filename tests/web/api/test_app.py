"""What is true of every answer of the local port."""

import pytest

from tests.web.api.stand_in import StandIn, event

pytestmark = pytest.mark.anyio

LISTS = ("touchpoints", "providers", "events", "export/deliveries", "tokens", "audit")
PATHS = ("status", "configuration", "openapi.json", *LISTS)


async def test_everything_but_health_needs_a_token(stand_in: StandIn) -> None:
    """Without a token only /health answers, and it tells nothing."""
    async with stand_in.client(token="") as client:
        assert (await client.get("/health")).json() == {"ok": True}
        for path in PATHS:
            answer = await client.get(f"/api/v1/{path}")
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["problems"][0]["code"] == "token_missing"


async def test_every_answer_carries_the_safe_headers(stand_in: StandIn) -> None:
    """Answers, refusals and unknown addresses alike are never kept, framed, sniffed or run."""
    async with stand_in.client() as client:
        for path in ("/health", "/api/v1/status", "/api/v1/events/unknown", "/nowhere"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert headers["content-security-policy"].startswith("default-src 'none'")


async def test_only_our_own_names_are_answered(stand_in: StandIn) -> None:
    """A page that resolves a stranger's name to us gets 403, and the refusal names the setting."""
    async with stand_in.client() as client:
        for host in ("localhost:1", "127.0.0.1", "[::1]:8421"):
            assert (await client.get("/api/v1/status", headers={"host": host})).status_code == 200, host
        answer = await client.get("/api/v1/status", headers={"host": "rebound.example"})
        assert answer.status_code == 403
        assert "`hosts` under [page]" in answer.json()["problems"][0]["mend"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nope", 404, "no_such_address"),
        ("GET", "/api/v1/a/b/c", 404, "no_such_address"),
        ("GET", "/api/nope", 404, "no_such_address"),
        ("POST", "/api/v1/status", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/nope", 405, "method_not_allowed"),
    ],
)
async def test_an_address_that_is_not_there_is_a_problem_like_any_other(
    stand_in: StandIn, method: str, path: str, status: int, code: str
) -> None:
    """In JSON with a code, a text and what mends it, whether a program asks or a browser does."""
    async with stand_in.client() as program, stand_in.signed_in(accept="text/html") as browser:
        for client in (program, browser):
            answer = await client.request(method, path)
            assert answer.status_code == status
            (problem,) = answer.json()["problems"]
            assert problem["code"] == code
            assert problem["text"]
            assert problem["mend"]


async def test_the_api_is_described(stand_in: StandIn) -> None:
    """OpenAPI names every address and answer, and no page fetches scripts from elsewhere."""
    async with stand_in.client() as client:
        described = (await client.get("/api/v1/openapi.json")).json()
        for path in ("swagger", "redoc", "elements", "rapidoc"):
            assert (await client.get(f"/api/v1/{path}")).status_code == 404
    assert "/api/v1/events/act/{action}" in described["paths"]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
    refusal = described["paths"]["/api/v1/events"]["get"]["responses"]["400"]
    assert refusal["content"]["application/json"]["schema"]["$ref"].endswith("/Problems")


async def test_a_broken_store_is_503(stand_in: StandIn) -> None:
    """While the events file cannot be used, what needs it says so and when to come again; the rest still answers."""
    stand_in.broken = "closing"
    async with stand_in.client() as client:
        answer = await client.get("/api/v1/events")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "7"
        assert answer.json()["problems"][0]["code"] == "closing"
        stand_in.broken = "a_code_whose_words_want_values"
        assert (await client.get("/api/v1/events")).json()["problems"][0]["code"] == "store_unavailable"
        assert (await client.get("/api/v1/touchpoints")).status_code == 200


async def test_a_crash_tells_a_caller_nothing(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    """An error nobody foresaw is logged, and answered without its words."""
    stand_in.log.keep(event(1), b"{}")
    stand_in.log.bodies = None  # type: ignore[assignment]  # so that reading it fails
    async with stand_in.client() as client:
        answer = await client.get(f"/api/v1/events/{event(1).id}")
    assert answer.status_code == 500
    assert "NoneType" not in answer.text
    assert "NoneType" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("GET", "/api/v2", b"", 404, "no_such_address"),
        ("PUT", "/api/v1/status", b"", 405, "method_not_allowed"),
        ("POST", "/api/v1/configuration", b"{", 400, "bad_request"),
        ("POST", "/api/v1/configuration", b'{"toml":"","proon":true}', 400, "bad_request"),
        ("POST", "/api/v1/configuration", b'{"toml":"' + b"x" * 2_100_000 + b'"}', 413, "request_too_large"),
        ("POST", "/api/v1/configuration", b'{"toml":"\\ud800"}', 400, "bad_request"),
        ("POST", "/api/v1/touchpoints", b'{"touchpoint":{"a":' + b"[" * 100_000 + b"}}", 400, "bad_request"),
        ("GET", "/api/v1/events?limit=0", b"", 400, "bad_request"),
        ("GET", "/api/v1/audit?before=9223372036854775808", b"", 400, "bad_request"),
        ("GET", "/api/v1/events?tuchpoint=orders", b"", 400, "unknown_parameter"),
        ("GET", "/api/v1/events?since=yesterday", b"", 400, "time_unreadable"),
        ("POST", "/api/v1/events/act/explode", b"{}", 400, "bad_request"),
    ],
)
async def test_nonsense_is_answered_in_words(
    stand_in: StandIn, method: str, path: str, content: bytes, status: int, code: str
) -> None:
    """Every refusal has the one shape, a fitting status and a stable code."""
    async with stand_in.client() as client:
        answer = await client.request(method, path, content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (status, code)
