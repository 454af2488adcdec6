"""Bodies of the wrong shape, and numbers that no row has: refused in words, never a failure of ours."""

from typing import Any

import pytest

from tests.web.api.stand_in import StandIn

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("/proxy/close", {"which": 5}, "which"),  # a field called as a dependency was answered 500 by Litestar
        ("/proxy/close", {"which": "x" * 201}, "which"),
        ("/proxy/left", {"run": 0}, "run"),
        ("/proxy/left", {"run": "false"}, "run"),
        ("/proxy/seek", {"to": "5"}, "to"),
        ("/proxy/seek", {"to": 5.5}, "to"),
        ("/proxy/seek", {"to": 2**53 + 1}, "to"),
        ("/configuration", {"toml": ["a"]}, "toml"),
        ("/configuration", {"toml": "", "zz": 1}, ""),
        ("/configuration", [], ""),
    ],
)
async def test_what_is_not_described_is_refused_with_its_place(stand_in: StandIn, path: str, body: Any, key: str) -> None:
    """A number is no text, 0 is no false."""
    async with stand_in.client() as client:
        answer = await client.post(f"/api/v1{path}", json=body)
    [found] = answer.json()["problems"]
    assert (answer.status_code, found["code"], found["path"]) == (400, "bad_request", key)


async def test_a_whole_number_may_have_a_point(stand_in: StandIn) -> None:
    """In JSON Schema 5.0 is an integer."""
    async with stand_in.client() as client:
        answer = await client.post("/api/v1/proxy/seek", content=b'{"to":5.0}', headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert stand_in.membership.calls[-1][:2] == ("seek", 5)


@pytest.mark.parametrize("content", [b'{"toml":"\xff"}', b"\xff\xfe{", b'{"\xed\xa0\x80":1}'])
async def test_a_body_that_is_no_utf_8_is_refused(stand_in: StandIn, content: bytes) -> None:
    """Not answered as a failure of ours."""
    async with stand_in.client() as client:
        answer = await client.post("/api/v1/configuration", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (f"audit?before={10**30}", "bad_request"),
        (f"audit?before={-(10**30)}", "bad_request"),
        (f"events?before={10**30}", "bad_request"),
        (f"events?before={-(10**30)}", "bad_request"),
        (f"export/deliveries?after={10**30}-1-1", "cursor_malformed"),
    ],
)
async def test_a_number_that_no_row_has_is_refused(stand_in: StandIn, query: str, code: str) -> None:
    """Before the database is asked, which knows no such number."""
    async with stand_in.client() as client:
        answer = await client.get(f"/api/v1/{query}")
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (400, code)


async def test_which_methods_there_are_is_told(stand_in: StandIn) -> None:
    """With a refusal, and to whoever asks."""
    async with stand_in.client() as client:
        refused = await client.put("/api/v1/touchpoints")
        asked = await client.options("/api/v1/touchpoints")
    for answer, status in ((refused, 405), (asked, 204)):
        assert answer.status_code == status
        assert set(answer.headers["allow"].split(", ")) == {"GET", "POST", "OPTIONS"}


async def test_the_description_forbids_what_is_refused(stand_in: StandIn) -> None:
    """Unknown keys, for one."""
    async with stand_in.client() as client:
        shapes = (await client.get("/api/v1/openapi.json")).json()["components"]["schemas"]
    assert shapes["ConfigurationFile"]["additionalProperties"] is False
    assert "additionalProperties" not in shapes["Problems"]
