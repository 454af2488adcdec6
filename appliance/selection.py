"""A selection: the filter a person names in words, made exact."""

import re
from collections.abc import Mapping
from datetime import datetime

from store.log import Filter
from store.settings import Configuration
from touchpoints.moment import Micros, from_datetime
from touchpoints.problem import ProblemError, problem
from touchpoints.span import parse_span

STATES = ("pending", "held", "delivered", "given_up", "dismissed", "refused", "duplicate", "filtered", "split")
NAMES = ("id", "reference", "key", "since", "until", "touchpoint", "destination", "state", "tests")
_SPAN = re.compile(r"\d+(ms|s|m|h|d|w)")


def select(names: Mapping[str, str], configuration: Configuration, *, now: Micros) -> Filter:
    """A filter from `id` (several divided by commas), `reference`, `key`, `since`, `until`, `touchpoint`, `destination`,
    `state` and `tests`. Raises ProblemError for a name that is unknown or a time that cannot be read."""
    if unknown := sorted(names.keys() - set(NAMES)):
        raise ProblemError(*(problem("filter_unknown", name=name, names=", ".join(NAMES)) for name in unknown))
    state = names.get("state") or None
    if state is not None and state not in STATES:
        raise ProblemError(problem("state_unknown", path="state", state=state, states=", ".join(STATES)))
    touchpoint = _touchpoint(names.get("touchpoint"), configuration)
    return Filter(
        ids=tuple(filter(None, (one.strip().lower() for one in names.get("id", "").split(",")))),
        reference=names.get("reference") or None,
        dedup_key=names.get("key") or None,
        since=_moment(names.get("since"), "since", now),
        until=_moment(names.get("until"), "until", now),
        touchpoint=touchpoint,
        destination=_destination(names.get("destination"), touchpoint, configuration),
        state=state,
        tests=names.get("tests", "").lower() in ("1", "true", "yes"),
    )


def _moment(text: str | None, name: str, now: Micros) -> Micros | None:
    """RFC 3339, or a span before now such as `36h` or `7d`; without a zone it is this machine's."""
    if not text:
        return None
    try:
        if _SPAN.fullmatch(text):
            return now - parse_span(text)
        return from_datetime(datetime.fromisoformat(text).astimezone())
    except (ValueError, OverflowError, OSError) as error:  # Windows cannot tell the zone of a day before 1970
        raise ProblemError(problem("time_unreadable", path=name, value=text[:40])) from error


def _touchpoint(name: str | None, configuration: Configuration) -> int | None:
    """The id of a touchpoint by its name or alias; a removed one can still be named."""
    if not name:
        return None
    for touchpoint in configuration.touchpoints:
        if name == touchpoint.name or name in touchpoint.aliases:
            return touchpoint.id
    for number, known in sorted(configuration.touchpoint_names.items(), reverse=True):
        if known == name:
            return number
    raise ProblemError(problem("touchpoint_unknown", path="touchpoint", name=name[:80]))


def _destination(name: str | None, touchpoint: int | None, configuration: Configuration) -> int | None:
    """The id of a destination by its name, which is unique within its touchpoint only."""
    if not name:
        return None
    found = [
        destination.id
        for one in configuration.touchpoints
        if touchpoint in (None, one.id)
        for destination in one.destinations
        if destination.name == name
    ]
    if len(found) > 1:
        raise ProblemError(problem("destination_ambiguous", path="destination", name=name[:80]))
    if not found:
        raise ProblemError(problem("destination_unknown", path="destination", name=name[:80]))
    return found[0]
