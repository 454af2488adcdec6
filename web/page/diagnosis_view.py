"""A diagnosis in words: what a refused event lacked, for whoever has to mend it."""

from typing import Any

from store.log import Log
from touchpoints.diagnosis import Finding, explain
from touchpoints.event import ArrivedBy, Event, Verdict
from touchpoints.form import Form
from touchpoints.judge import request_of
from touchpoints.problem import Problem, problem
from touchpoints.provider import providers
from touchpoints.touchpoint import Touchpoint
from web.api.desk import Desk
from web.page import figures
from web.page.body_view import seen
from web.page.change import written
from web.page.selector_words import in_words
from web.page.words import t

LARGEST = 1024 * 1024  # bytes; a larger body is not judged again only to tell about it


async def diagnosed(desk: Desk, event: Event, log: Log | None = None) -> list[Problem]:
    """What is found about a refused event, the most telling first; nothing where its touchpoint is gone."""
    touchpoint = next((one for one in desk.control.configuration().touchpoints if one.id == event.touchpoint), None)
    if touchpoint is None or event.verdict is not Verdict.REFUSED:
        return []
    body = await (log or desk.log()).body(event.id) if event.body_bytes <= LARGEST else None
    found = explain(
        request_of(event, body or b"", url_given(desk, touchpoint, event)),
        touchpoint,
        event.reason,
        whole=body is not None,
        fingerprints=await fingerprints_of(desk, touchpoint),
    )
    return [in_problem_words(one) for one in found]


def url_given(desk: Desk, touchpoint: Touchpoint, event: Event) -> str:
    """The URL that the event's sender was given, without the query."""
    if event.arrived_by is ArrivedBy.PROXY and (url := desk.standing.urls.get(touchpoint.id)):
        return url
    base = desk.control.configuration().agent.host_public_url.rstrip("/")
    return touchpoint.public_url or f"{base}/hooks/{touchpoint.name}"


async def fingerprints_of(desk: Desk, touchpoint: Touchpoint) -> list[str]:
    """The fingerprints of a touchpoint's secrets, by which a person tells them apart."""
    tables: list[dict[str, Any]] = (await written(desk)).get("touchpoint", [])
    stored: list[str] = next((one.get("secrets", []) for one in tables if one.get("name") == touchpoint.name), [])
    return [secret.removeprefix("stored:") for secret in stored]


def in_problem_words(finding: Finding) -> Problem:
    """A finding with its values in words."""
    try:
        return problem(finding.code, **{key: _value(key, value) for key, value in finding.values.items()})
    except KeyError:  # the reason of another version, or one whose words want values that are gone
        return Problem(finding.code, t("events.reason_unknown", code=finding.code), "")


def _value(key: str, value: Any) -> Any:
    if isinstance(value, Form):
        return form_words(value)
    match key:
        case "place":
            return in_words(value)
        case "off" | "allowed":
            return figures.span(value)
        case "providers":
            return t("provider.comma").join(providers()[name].label for name in value)
        case "names":
            return t("provider.comma").join(_header(name) for name in value)
        case "networks":
            return t("provider.comma").join(value)
        case "fingerprints":
            return t("provider.diagnosis.or").join(value)
    return seen(value)[:300] if isinstance(value, str) else value


def _header(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def form_words(form: Form) -> str:
    """A form in words: “sha256=” and then 64 hexadecimal characters."""
    words = _bare(form)
    if form.prefix:
        words = t("provider.form.prefixed", prefix=form.prefix.strip(), form=words)
    return t("provider.form.tagged", tag=form.tag, form=words) if form.tag else words


def _bare(form: Form) -> str:
    if form.kind == "empty":
        return t("provider.form.empty")
    return t(f"provider.form.{form.kind}", n=form.length) if form.length else t(f"provider.form_any.{form.kind}")
