"""The configuration over the API."""

import hashlib

import pytest

from tests.web.api.stand_in import StandIn
from touchpoints.problem import ProblemError
from web.api.configuration import read_toml

pytestmark = pytest.mark.anyio


async def test_a_file_is_applied_with_its_digest(stand_in: StandIn) -> None:
    """The digest is that of the file's bytes, a byte order mark included, so that a start does not apply it again."""
    text = "\ufeff[agent]\r\nport = 8420\r\n"
    async with stand_in.client() as client:
        answer = await client.post("/api/v1/configuration", json={"toml": text, "base": "/etc/hooks", "prune": True})
    assert answer.json() == {"dry_run": False, "changes": [{"path": "touchpoint.orders", "what": "changed"}]}
    _, document, base, digest, prune, dry_run, _ = stand_in.control.calls[0]
    assert document == {"agent": {"port": 8420}}
    assert digest == hashlib.sha256(text.encode()).hexdigest()
    assert (base, prune, dry_run) == ("/etc/hooks", True, False)


async def test_all_problems_come_at_once(stand_in: StandIn) -> None:
    """A refused configuration is 422 with every problem and its path."""
    stand_in.control.refuse = ("agent.port", "touchpoint.orders.secrets[0]")
    async with stand_in.client() as client:
        answer = await client.post("/api/v1/configuration", json={"toml": "", "dry_run": True})
        shown = await client.get("/api/v1/configuration")
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["problems"]] == ["agent.port", "touchpoint.orders.secrets[0]"]
    assert shown.json()["toml"].startswith("[agent]")


@pytest.mark.parametrize("text", ["a = ", "a = " + "[" * 5000, "[a]\n[a]", "a = 1\na = 2", "\0", "a = " + "9" * 9000])
def test_broken_toml_is_refused_in_words(text: str) -> None:
    """Whatever is wrong with the file, the refusal says that it is no TOML, and where."""
    with pytest.raises(ProblemError) as caught:
        read_toml(text)
    assert caught.value.problems[0].code == "toml_syntax"
