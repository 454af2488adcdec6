"""What needs a person: each thing with its code, how many, in words, and where."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.late_file import MIGRATING
from store.log import DestinationBacklog
from store.settings import Configuration
from touchpoints.moment import DAY, Micros, rfc3339
from touchpoints.problem import Problem, problem
from touchpoints.retry import Health
from touchpoints.touchpoint import Destination, Touchpoint, TouchpointState
from web.page import figures
from web.page.words import known as has_words
from web.page.words import t

Json = dict[str, Any]

CERTIFICATE_WARNING = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that needs a person."""

    problem: Problem
    count: int = 1
    touchpoint: str | None = None
    destination: str | None = None
    alert: Problem | None = None  # the words that may leave the house, where the others may not

    def as_json(self) -> Json:
        """The shape in `status --json`."""
        return {
            "code": self.problem.code,
            "count": self.count,
            "text": f"{self.problem.text} {self.problem.mend}".strip(),
            "mend": self.problem.mend,
            "touchpoint": self.touchpoint,
            "destination": self.destination,
        }


def process_needs(
    store_trouble: Problem | None,
    disk_trouble: Problem | None,
    not_applied: Sequence[Problem],
    warnings: Iterable[Problem],
    *,
    certificate_ends: Micros | None,
    page_certificate_ends: Micros | None,
    now: Micros,
) -> Iterable[Need]:
    """What needs a person beside touchpoints and destinations."""
    if store_trouble is not None and store_trouble.code == MIGRATING:
        yield Need(problem=store_trouble)
    elif store_trouble is not None:
        yield Need(problem=problem("events_store_down", why=store_trouble.text, mend=store_trouble.mend))
    if disk_trouble is not None:
        yield Need(problem=disk_trouble)
    if not_applied:
        words = problem("config_not_applied", errors=" ".join(str(one) for one in not_applied[:3]))
        yield Need(problem=words, count=len(not_applied))
    for warning in warnings:
        yield Need(problem=warning)
    if certificate_ends is not None and certificate_ends - now < CERTIFICATE_WARNING:
        yield Need(problem=problem("certificate_expires", day=rfc3339(certificate_ends)[:10]))
    if page_certificate_ends is not None and page_certificate_ends - now < CERTIFICATE_WARNING:
        yield Need(problem=problem("page_certificate_expires", day=rfc3339(page_certificate_ends)[:10]))


def destination_needs(
    configuration: Configuration, backlog: Mapping[int, DestinationBacklog], health: Mapping[int, Health]
) -> Iterable[Need]:
    """Given-up deliveries and destinations that are down."""
    for touchpoint, destination in _destinations(configuration):
        names = {"touchpoint": touchpoint.name, "destination": destination.name}
        count = backlog[destination.id].given_up if destination.id in backlog else 0
        if count:
            words = problem("given_up", count=count, **names)
            yield Need(problem=words, count=count, touchpoint=touchpoint.name, destination=destination.name)
        known = health.get(destination.id)
        if known and known.down_since is not None:
            words = problem("destination_down", error=known.error, **names)
            # A destination's answer may repeat what it was sent, and a mail goes far.
            alert = problem("destination_down", error=_why(known.error_code), **names)
            yield Need(problem=words, touchpoint=touchpoint.name, destination=destination.name, alert=alert)


def touchpoint_needs(configuration: Configuration, refused: Mapping[tuple[int, str], int]) -> Iterable[Need]:
    """Touchpoints without a secret, and refused events that nobody has looked at."""
    for touchpoint in configuration.touchpoints:
        if touchpoint.state is TouchpointState.SETUP:
            yield Need(problem=problem("no_secret_yet", touchpoint=touchpoint.name), touchpoint=touchpoint.name)
        reasons = {reason: count for (number, reason), count in refused.items() if number == touchpoint.id}
        if reasons:
            count = sum(reasons.values())
            told = ", ".join(f"{reason} {number}" for reason, number in sorted(reasons.items()))
            words = problem("refused_events", count=count, touchpoint=touchpoint.name, reasons=told)
            yield Need(problem=words, count=count, touchpoint=touchpoint.name)


def _why(code: str) -> str:
    return t(f"alerts.why.{code}") if has_words(f"alerts.why.{code}") else t("alerts.why.other", code=code)


def quiet_needs(quiet: Mapping[str, tuple[Micros, Micros | None]]) -> Iterable[Need]:
    """Touchpoints to which nothing came for longer than usual: for how long, and what was usual (None: a limit was set)."""
    for name, (span, usual) in quiet.items():
        why = t("alerts.quiet.limit") if usual is None else t("alerts.quiet.usual", span=figures.span(usual))
        words = problem("nothing_came", touchpoint=name, span=figures.span(span), usual=why)
        yield Need(problem=words, touchpoint=name)


def _destinations(configuration: Configuration) -> Iterable[tuple[Touchpoint, Destination]]:
    for touchpoint in configuration.touchpoints:
        for destination in touchpoint.destinations:
            yield touchpoint, destination
