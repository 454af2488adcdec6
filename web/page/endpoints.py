"""The endpoint URLs of a touchpoint: one for each way in that is open, the new one first after a switch."""

from dataclasses import dataclass

from web.api.desk import Desk
from web.control import Json
from web.membership import Closing, Standing

_WAYS = ("direct", "proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointUrl:
    """One URL that a sender may post to."""

    way: str  # direct | proxy
    url: str  # empty: it is being made known to the proxy
    mark: str = ""  # new | closing | coming
    closing: Closing | None = None


def endpoints_of(desk: Desk, line: Json) -> list[EndpointUrl]:
    """The URLs of a line of `touchpoint list --json`."""
    standing, mode = desk.standing, desk.mode
    number = next((one.id for one in desk.control.configuration().touchpoints if one.name == line["name"]), 0)
    urls = {
        "direct": line["endpoint_urls"]["direct"] or _closing_url(desk, standing, line["name"]),
        "proxy": standing.urls.get(number, ""),
    }
    old = {"direct": standing.direct_closing, "proxy": standing.closing}
    switched = any(old.values())
    found = []
    for way in _WAYS:
        if closing := old[way]:
            if urls[way]:
                found.append(EndpointUrl(way=way, url=urls[way], mark="closing", closing=closing))
        elif urls[way] and mode in (way, "both"):
            found.append(EndpointUrl(way=way, url=urls[way], mark="new" if switched else ""))
        elif way == "proxy" and mode in ("proxy", "both") and _comes(standing, line["state"]):
            found.append(EndpointUrl(way=way, url="", mark="coming"))
    return sorted(found, key=lambda one: one.mark == "closing")


def can_rotate(desk: Desk, touchpoint: int) -> bool:
    """Whether it has a URL at the proxy that can give way to another."""
    return bool(desk.standing.urls.get(touchpoint)) and desk.standing.closing is None


def _closing_url(desk: Desk, standing: Standing, name: str) -> str:
    base = desk.control.configuration().agent.host_public_url.rstrip("/")
    return f"{base}/hooks/{name}" if standing.direct_closing and base else ""


def _comes(standing: Standing, state: str) -> bool:
    """Whether a URL that is not there yet will be in a moment; without the organisation's key it cannot."""
    return standing.paired and standing.state in ("connecting", "connected", "standby", "paused") and state != "disabled"
