from appliance.overview import overview
from store.log import DestinationBacklog
from store.settings import AgentSettings, Configuration
from tests.appliance.stage import changed, destination, touchpoint
from touchpoints.moment import SECOND
from touchpoints.retry import Health
from touchpoints.touchpoint import TouchpointState

ORDERS = touchpoint(1, [destination(1, name="erp")], name="orders")


def _configuration(mode: str | None, url: str = "https://hooks.example.com:8420/", **fields: object) -> Configuration:
    agent = AgentSettings(mode=mode, host_public_url=url)
    return Configuration(agent=agent, touchpoints=(changed(ORDERS, **fields),))


def test_its_shape() -> None:
    """The keys and values of `touchpoint list --json`."""
    waiting = {1: DestinationBacklog(pending=3, held=1, given_up=2)}
    assert overview(_configuration("direct"), waiting, {}, {1: 5 * SECOND}, {1: "https://p/acme/orders/t"}) == {
        "touchpoints": [
            {
                "name": "orders",
                "provider": "generic",
                "state": "running",
                "endpoint_urls": {"direct": "https://hooks.example.com:8420/hooks/orders", "proxy": "https://p/acme/orders/t"},
                "destinations": [{"name": "erp", "kind": "http", "state": "up", "pending": 3, "given_up": 2}],
                "last_event_at": "1970-01-01T00:00:05.000000Z",
            }
        ]
    }


def test_a_url_is_null_where_its_path_is_off() -> None:
    """Nobody pastes an address that does not answer."""
    for configuration in (_configuration(None), _configuration("proxy"), _configuration("direct", url="")):
        (line,) = overview(configuration, {}, {}, {}, {})["touchpoints"]
        assert line["endpoint_urls"] == {"direct": None, "proxy": None}
        assert line["last_event_at"] is None


def test_states() -> None:
    """A destination is down or waits with its touchpoint."""
    down = {1: Health(destination=1, down_since=1)}
    for state, health, shown in (
        (TouchpointState.RUNNING, {}, ("running", "up")),
        (TouchpointState.RUNNING, down, ("running", "down")),
        (TouchpointState.HOLD, down, ("hold", "hold")),
        (TouchpointState.SETUP, {}, ("setup", "up")),
    ):
        (line,) = overview(_configuration("direct", state=state), {}, health, {}, {})["touchpoints"]
        assert (line["state"], line["destinations"][0]["state"]) == shown
