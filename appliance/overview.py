"""The overview: every touchpoint in a line, as `hookport touchpoint list` shows it."""

from collections.abc import Mapping
from typing import Any

from appliance.endpoints import endpoint_url
from store.log import DestinationBacklog
from store.settings import Configuration
from touchpoints.moment import Micros, rfc3339
from touchpoints.retry import Health
from touchpoints.touchpoint import Destination, Touchpoint, TouchpointState

Json = dict[str, Any]

_NOTHING = DestinationBacklog(pending=0, held=0, given_up=0)


def overview(
    configuration: Configuration,
    backlog: Mapping[int, DestinationBacklog],
    health: Mapping[int, Health],
    last_events: Mapping[int, Micros],
    proxy_urls: Mapping[int, str],
) -> Json:
    """The object of `touchpoint list --json`; a URL is null where its path is off. `proxy_urls` by the touchpoint's id."""

    def line(touchpoint: Touchpoint) -> Json:
        last = last_events.get(touchpoint.id)
        return {
            "name": touchpoint.name,
            "provider": touchpoint.provider,
            "state": touchpoint.state.value,
            "endpoint_urls": {"direct": _direct_url(touchpoint, configuration), "proxy": proxy_urls.get(touchpoint.id)},
            "destinations": [
                _destination(touchpoint, one, backlog.get(one.id, _NOTHING), health.get(one.id))
                for one in touchpoint.destinations
            ],
            "last_event_at": None if last is None else rfc3339(last),
        }

    return {"touchpoints": [line(touchpoint) for touchpoint in configuration.touchpoints]}


def _direct_url(touchpoint: Touchpoint, configuration: Configuration) -> str | None:
    if configuration.agent.mode not in ("direct", "both") or not configuration.agent.host_public_url:
        return None
    return endpoint_url(touchpoint, configuration)


def _destination(touchpoint: Touchpoint, one: Destination, waiting: DestinationBacklog, health: Health | None) -> Json:
    state = "up"
    if touchpoint.state is TouchpointState.HOLD:
        state = "hold"
    elif health is not None and health.down_since is not None:
        state = "down"
    return {"name": one.name, "kind": one.kind, "state": state, "pending": waiting.pending, "given_up": waiting.given_up}
