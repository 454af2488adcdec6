"""Endpoint URLs."""

from dataclasses import replace

from appliance.endpoints import directory_of, given_url
from store.settings import AgentSettings, Configuration
from tests.touchpoints.factory import make_touchpoint
from touchpoints.touchpoint import TouchpointState

TOUCHPOINT = make_touchpoint("twilio", "secret", aliases=("old",))


def configuration(**fields: str) -> Configuration:
    """One touchpoint with an older name."""
    agent = AgentSettings(host_public_url="https://hooks.example.com/")
    return Configuration(agent=agent, touchpoints=(replace(TOUCHPOINT, **fields),))  # type: ignore[arg-type]  # text fields only


def test_a_sender_that_was_given_an_older_name_signs_that_url() -> None:
    """Twilio and others sign the URL they post to, so each name has its own; a public URL stands for all of them."""
    found = directory_of(configuration()).endpoints
    assert {name: one.url for name, one in found.items()} == {
        "orders": "https://hooks.example.com/hooks/orders",
        "old": "https://hooks.example.com/hooks/old",
    }
    public = directory_of(configuration(public_url="https://shop.example.com/in")).endpoints
    assert {one.url for one in public.values()} == {"https://shop.example.com/in"}


def test_the_url_of_a_stored_event_is_the_one_it_came_by() -> None:
    """A name that is no alias any more is as good as the present one."""
    for path, name in (("/hooks/old", "old"), ("/hooks/orders", "orders"), ("/hooks/gone", "orders"), ("", "orders")):
        assert given_url(TOUCHPOINT, configuration(), path) == f"https://hooks.example.com/hooks/{name}"


def test_a_disabled_touchpoint_has_no_endpoint() -> None:
    """It answers like an unknown one."""
    assert not directory_of(configuration(state=TouchpointState.DISABLED)).endpoints
