"""What needs a person about this agent's place at a hosted proxy."""

from collections.abc import Iterable, Mapping
from typing import Any

from appliance.needs import Need
from store.settings import Configuration, ProxySettings
from touchpoints.problem import Problem, problem
from touchpoints.size import rough_size
from web.membership import Standing

_NOTICES = {
    "quota_half": "proxy_quota_half",
    "quota_near": "proxy_quota_near",
    "quota_reached": "proxy_quota_reached",
    "proxy_restored": "proxy_restored",
}


# What is wrong between here and the proxy; each comes and goes, and is one thing to whoever is told.
_ON_THE_WAY = frozenset(
    {
        "proxy_unreachable",
        "proxy_tls",
        "proxy_corporate",
        "proxy_silent",
        "proxy_stranger",
        "proxy_busy",
        "proxy_refuses",
    }
)


def proxy_needs(standing: Standing, configuration: Configuration, *, paused: str, unverified: Mapping[str, int]) -> list[Need]:
    """All of it.

    - `paused`: the code of why nothing can be stored, where nothing else says so.
    - `unverified`: kept events that nothing could verify, by the name of the touchpoint that is not here ("": not known).
    """
    found = [*_of_path(standing, paused), *_of_proxy(standing), *_of_touchpoints(standing, unverified)]
    if standing.paired and (differs := _differs(configuration.proxy, standing)):
        found.append(Need(problem=differs))
    return found


def _of_path(standing: Standing, paused: str) -> Iterable[Need]:
    found = standing.problem
    if found is not None:
        down = found.code in _ON_THE_WAY
        yield Need(problem=problem("proxy_down", why=found.text, mend=found.mend) if down else found)
    elif paused:
        yield Need(problem=problem("proxy_store_waits", why=paused))


def _of_proxy(standing: Standing) -> Iterable[Need]:
    values: dict[str, Any] = {
        "domain": standing.domain,
        "events": standing.backlog.events,
        "size": rough_size(standing.backlog.bytes),
    }
    for code in standing.notices:
        if code in _NOTICES:
            yield Need(problem=problem(_NOTICES[code], **values))
    if standing.gap is not None:
        yield Need(problem=problem("proxy_gap", domain=standing.domain, first=standing.gap[0], last=standing.gap[1]))
    if standing.behind is not None:
        seen, acknowledged = standing.behind
        yield Need(problem=problem("proxy_behind", seen=seen, acknowledged=acknowledged), count=acknowledged - seen)


def _of_touchpoints(standing: Standing, unverified: Mapping[str, int]) -> Iterable[Need]:
    if standing.lacking:
        names = ", ".join(standing.lacking[:10])
        yield Need(problem=problem("proxy_lacking", names=names), count=len(standing.lacking))
    if standing.left:
        yield Need(problem=problem("proxy_left", count=standing.left), count=standing.left)
    if unverified:
        named = sorted(name for name in unverified if name)
        names = ", ".join((*named[:10], *(("?",) if "" in unverified else ())))
        count = sum(unverified.values())
        yield Need(problem=problem("events_lack_touchpoint", count=count, names=names), count=count)


def _differs(settings: ProxySettings, standing: Standing) -> Problem | None:
    """The file need not name the proxy; where it does, it should be the one that this agent is paired with."""
    url = settings.url.rstrip("/").lower()
    if (url and url != standing.url.lower()) or (settings.domain and settings.domain != standing.domain):
        asked = " ".join(filter(None, (settings.domain, url)))
        return problem("proxy_settings_differ", asked=asked, paired=f"{standing.domain} {standing.url}")
    return None
