"""The road: one picture that carries the whole product, from senders to destinations, each stop with a count and a state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from touchpoints.moment import SECOND
from touchpoints.provider import providers
from web.control import Json
from web.membership import Standing
from web.page.figures import span
from web.page.standing import BAD, WARN, old_ways, state_shown
from web.page.words import t
from web.vitals import Vitals

_SHOWN = 3
_GRAVE_FIRST = {"down": 0, "given_up": 1, "hold": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One line of a stop: a path in, or a destination."""

    state: str
    name: str
    aside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One box of the road."""

    name: str  # senders, arrive, inbox, touchpoints, outbox, destinations
    to: str
    count: int | None = None
    aside: str = ""
    tone: str = ""  # bad: a person must act; warn: a person should look
    ways: tuple[Way, ...] = ()
    more: int = 0  # ways left out


def road(status: Json, touchpoints: Sequence[Json], vitals: Vitals, standing: Standing) -> list[Stop]:
    """The road as it is. `status` and `touchpoints` have the shapes of `--json`."""
    backlog = status["backlog"]
    return [
        _senders(touchpoints),
        _arrive(status, vitals, standing),
        _inbox(backlog),
        _touchpoints(touchpoints),
        _outbox(backlog),
        _destinations(touchpoints),
    ]


def _senders(touchpoints: Sequence[Json]) -> Stop:
    known = providers()
    names = list(dict.fromkeys(known[one["provider"]].label for one in touchpoints))
    return Stop(name="senders", to="/touchpoints", count=len(names), aside=", ".join(names) or t("home.road.none_yet"))


def _arrive(status: Json, vitals: Vitals, standing: Standing) -> Stop:
    mode = status["mode"]
    if mode is None:
        return Stop(name="arrive", to="/settings", tone="warn", ways=(Way(state="trouble", name=t("home.road.not_chosen")),))
    ways = []
    if mode in ("direct", "both"):
        address = (vitals.direct_url or status["direct"]["address"] or "").removeprefix("https://").removeprefix("http://")
        aside = vitals.direct_error if vitals.direct == "down" else address
        ways.append(Way(state=vitals.direct, name=t("home.road.direct"), aside=aside))
    if mode in ("proxy", "both"):
        aside = standing.host or t("proxy.unpaired")
        ways.append(Way(state=state_shown(standing, mode), name=t("home.road.proxy"), aside=aside))
    ways += [Way(state="closing", name=t(f"home.road.{way}"), aside=t("base.state.closing")) for way in old_ways(standing)]
    return Stop(
        name="arrive",
        to="/settings" if mode == "direct" else "/settings/proxy",
        tone=_tone(way.state for way in ways),
        aside=_at_proxy(standing),
        ways=tuple(ways),
    )


def _tone(states: Iterable[str]) -> str:
    found = {*states}
    return "bad" if found & BAD else "warn" if found & WARN else ""


def _at_proxy(standing: Standing) -> str:
    """What waits at the proxy, and for how long."""
    events = standing.backlog.events
    return t("home.road.at_proxy", n=events) if events and standing.paired else ""


def _inbox(backlog: Mapping[str, Any]) -> Stop:
    if backlog["inbox"] is None:
        return Stop(name="inbox", to="/events", tone="bad", aside=t("home.road.unreadable"))
    return Stop(name="inbox", to="/events", count=backlog["inbox"], aside=t("home.road.waiting"))


def _touchpoints(touchpoints: Sequence[Json]) -> Stop:
    states = [one["state"] for one in touchpoints]
    parts = [t("home.road.running", n=states.count("running"))]
    parts += [t(f"home.road.{state}", n=states.count(state)) for state in ("hold", "setup", "disabled") if state in states]
    aside = ", ".join(parts) if states else t("home.road.none_yet")
    return Stop(name="touchpoints", to="/touchpoints", count=len(states), aside=aside, tone="warn" if "setup" in states else "")


def _outbox(backlog: Mapping[str, Any]) -> Stop:
    to = "/events?state=pending"
    if backlog["outbox"] is None:
        return Stop(name="outbox", to="/events", tone="bad", aside=t("home.road.unreadable"))
    oldest = backlog["oldest_seconds"]
    if oldest and backlog["outbox"]:
        aside = t("home.road.oldest", span=span(oldest * SECOND))
    elif backlog["held"]:
        aside = t("home.road.held", n=backlog["held"])
    else:
        aside = t("home.road.waiting") if backlog["outbox"] else t("home.road.all_out")
    return Stop(name="outbox", to=to, count=backlog["outbox"], aside=aside)


def _destinations(touchpoints: Sequence[Json]) -> Stop:
    ways = sorted(
        (_destination(one, to) for one in touchpoints for to in one["destinations"]),
        key=lambda way: _GRAVE_FIRST.get(way.state, 3),
    )
    if not ways:
        return Stop(name="destinations", to="/touchpoints", count=0, aside=t("home.road.none_yet"))
    bad = [way for way in ways if way.state in ("down", "given_up")]
    to = f"/events?{urlencode({'state': 'given_up'})}" if bad and bad[0].state == "given_up" else "/touchpoints"
    shown = tuple(ways[:_SHOWN] if len(ways) <= _SHOWN else ways[: _SHOWN - 1])
    return Stop(name="destinations", to=to, ways=shown, more=len(ways) - len(shown), tone="bad" if bad else "")


def _destination(touchpoint: Json, destination: Json) -> Way:
    name = destination["name"] if destination["name"] != destination["kind"] else f"{touchpoint['name']} {destination['name']}"
    state = destination["state"]
    if state == "down":
        return Way(state="down", name=name, aside=t("home.road.wait", n=destination["pending"]))
    if destination["given_up"]:
        return Way(state="given_up", name=name, aside=t("home.road.given_up", n=destination["given_up"]))
    if destination["pending"]:
        return Way(state=state, name=name, aside=t("home.road.wait", n=destination["pending"]))
    return Way(state=state, name=name)
