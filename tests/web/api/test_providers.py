"""The list of providers, for scripts that set touchpoints up."""

import pytest

from tests.web.api.stand_in import StandIn
from touchpoints.definition import TOUCHPOINT
from touchpoints.provider import GROUPS, provider_names, providers

pytestmark = pytest.mark.anyio


async def test_every_provider_is_told_with_what_it_needs(stand_in: StandIn) -> None:
    """By name, with its group and the settings it has a use for; each is a key of the configuration."""
    async with stand_in.client() as client:
        found = (await client.get("/api/v1/providers")).json()["providers"]
    assert [one["name"] for one in found] == list(provider_names())
    keys = {setting.name for setting in TOUCHPOINT}
    for one in found:
        assert one["group"] in GROUPS
        assert {*one["needs"]} <= keys, one["name"]
    by_name = {one["name"]: one for one in found}
    assert by_name["shopify"]["needs"] == ["secrets"]
    assert {"secrets", "verify", "credential", "dedup"} <= {*by_name["generic"]["needs"]}
    assert {name: one["unsure"] for name, one in by_name.items()} == {name: [*providers()[name].unsure] for name in by_name}
