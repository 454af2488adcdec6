"""Touchpoints over the API."""

import pytest

from tests.web.api.stand_in import StandIn

pytestmark = pytest.mark.anyio


async def test_a_touchpoint_is_added_once(stand_in: StandIn) -> None:
    """A new one is applied as a document of its own; a name or alias that is taken is 409."""
    async with stand_in.client() as client:
        new = {"touchpoint": {"name": "crm", "provider": "generic"}, "base": "/here"}
        assert (await client.post("/api/v1/touchpoints", json=new)).status_code == 200
        for name in ("crm", "orders", "old-orders"):
            taken = await client.post("/api/v1/touchpoints", json={"touchpoint": {"name": name}})
            assert (taken.status_code, taken.json()["problems"][0]["code"]) == (409, "touchpoint_exists")
    (call,) = stand_in.control.calls
    assert call[:3] == ("apply", {"touchpoint": [{"name": "crm", "provider": "generic"}]}, "/here")


async def test_renaming_and_removing_need_one_that_exists(stand_in: StandIn) -> None:
    """An unknown name is 404; a known one reaches the process."""
    async with stand_in.client() as client:
        assert (await client.post("/api/v1/touchpoints/nobody/rename", json={"name": "x"})).status_code == 404
        assert (await client.delete("/api/v1/touchpoints/nobody")).status_code == 404
        assert (await client.post("/api/v1/touchpoints/orders/rename", json={"name": "sales"})).status_code == 200
        assert (await client.delete("/api/v1/touchpoints/stock")).status_code == 200
    assert [call[:2] for call in stand_in.control.calls] == [("rename", "orders"), ("remove", "stock")]


async def test_a_test_event_carries_its_bytes_and_headers(stand_in: StandIn) -> None:
    """The body goes as it is; without one the provider's sample is asked for; a malformed header is refused."""
    path = "/api/v1/touchpoints/orders/test"
    async with stand_in.client() as client:
        params = {"deliver": "true", "header": ["X-Shopify-Topic: orders/create", "a:b:c"]}
        played = await client.post(path, content=b"\x00{}", params=params)
        await client.post(path)
        assert (await client.post(path, params={"header": "no colon"})).status_code == 400
        assert (await client.post(path, params={"header": "a: b\r\nc: d"})).status_code == 400
        assert (await client.post(path, content=b"x" * (25 * 1024 * 1024 + 1))).status_code == 413
    assert played.json()["deliveries"][0]["sent"] is True
    first, second = stand_in.control.calls
    assert first[1:5] == ("orders", b"\x00{}", {"x-shopify-topic": "orders/create", "a": "b:c"}, True)
    assert second[1:5] == ("orders", None, {}, False)


@pytest.mark.parametrize(("name", "place"), [("stock", 1), ("parts", 2)])
async def test_a_test_event_never_shows_how_it_was_proved(stand_in: StandIn, name: str, place: int) -> None:
    """Neither the sender's secret nor a signature over a body of the caller's choice, which could be posted as a real event."""
    plain = [["x-plain", "a"], ["x-stock-pass", "hush"], ["x-sum", "5ig"]]
    async with stand_in.client() as client:
        played = await client.post(f"/api/v1/touchpoints/{name}/test")
    plain[place][1] = "(hidden)"
    assert played.json()["deliveries"][0]["headers"] == plain
