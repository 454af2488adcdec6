from appliance.needs import Need, destination_needs, touchpoint_needs
from store.log import DestinationBacklog
from store.settings import Configuration
from tests.appliance.stage import destination, touchpoint
from touchpoints.problem import problem
from touchpoints.retry import Health
from touchpoints.touchpoint import TouchpointState

ERP = destination(1, name="erp")
CONFIGURATION = Configuration(
    touchpoints=(
        touchpoint(1, [ERP, destination(2, name="files")], name="orders"),
        touchpoint(2, [destination(3, name="erp")], name="stock", state=TouchpointState.SETUP),
    )
)


def _told(needs: object) -> list[tuple[str, int, str | None, str | None]]:
    assert isinstance(needs, list)
    return [(need.problem.code, need.count, need.touchpoint, need.destination) for need in needs]


def test_nothing_wrong_needs_nobody() -> None:
    """What is pending or held is no reason to call a person."""
    waiting = {1: DestinationBacklog(pending=7, held=3, given_up=0), 99: DestinationBacklog(pending=0, held=0, given_up=5)}
    assert _told(list(destination_needs(CONFIGURATION, waiting, {1: Health(destination=1, failures=2)}))) == []


def test_given_up_and_down_are_told_apart_by_destination() -> None:
    """Each with its touchpoint, though two destinations have one name."""
    waiting = {3: DestinationBacklog(pending=0, held=0, given_up=4)}
    down = Health(destination=1, down_since=5, error_code="no_connection", error="It cannot be reached.")
    needs = list(destination_needs(CONFIGURATION, waiting, {1: down}))
    assert _told(needs) == [("destination_down", 1, "orders", "erp"), ("given_up", 4, "stock", "erp")]
    assert "It cannot be reached." in needs[0].as_json()["text"]


def test_refused_events_and_missing_secrets() -> None:
    """By touchpoint, all reasons in one."""
    refused = {(1, "signature_wrong"): 3, (1, "signature_missing"): 2, (99, "signature_wrong"): 1}
    needs = list(touchpoint_needs(CONFIGURATION, refused))
    assert _told(needs) == [("refused_events", 5, "orders", None), ("no_secret_yet", 1, "stock", None)]
    assert "signature_missing 2, signature_wrong 3" in needs[0].problem.text


def test_its_shape() -> None:
    """The keys of `status --json`, words and mend together."""
    shown = Need(problem=problem("mode_not_chosen")).as_json()
    assert list(shown) == ["code", "count", "text", "mend", "touchpoint", "destination"]
    assert shown["code"] == "mode_not_chosen"
    assert shown["text"].endswith(problem("mode_not_chosen").mend)
