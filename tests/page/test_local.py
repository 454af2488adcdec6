"""The local port: page, API and health behind one gate, in one application."""

import pytest

from tests.web.api.stand_in import StandIn

pytestmark = pytest.mark.anyio


async def test_the_page_the_api_and_health_share_a_port(stand_in: StandIn) -> None:
    """A person, a program, and a watchdog each get theirs."""
    async with stand_in.signed_in() as person:
        assert (await person.get("/")).headers["content-type"].startswith("text/html")
    async with stand_in.client() as program:
        assert (await program.get("/api/v1/status")).json()["ok"] is True
    async with stand_in.client(token="") as watchdog:
        assert (await watchdog.get("/health")).json() == {"ok": True}


@pytest.mark.parametrize("path", ["/", "/nope", "/static/app.css", "/live", "/api/v1/status", "/sign-in"])
async def test_every_answer_carries_the_strict_policy(stand_in: StandIn, path: str) -> None:
    """Answers and refusals alike: nothing inline, nothing from elsewhere, no frame."""
    async with stand_in.client(token="") as client:
        policy = (await client.get(path)).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_a_token_opens_the_api_alone(stand_in: StandIn) -> None:
    """Pages are for people who signed in."""
    async with stand_in.client() as program:
        assert (await program.get("/")).status_code == 303
