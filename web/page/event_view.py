"""An event in words: its state, what happened to each delivery, and the road it took."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from store.log import Listed, RecordedAttempt, Timeline
from touchpoints.delivery import Delivery, DeliveryState
from touchpoints.event import Verdict
from touchpoints.moment import Micros, rfc3339
from touchpoints.problem import Problem, problem
from web.export.names import Names
from web.page import figures
from web.page.body_view import seen
from web.page.times import Times
from web.page.words import t, th

_WORST_FIRST = ("given_up", "pending", "held", "dismissed", "delivered")
_SAID_KEYS = ("message", "detail", "error", "error_description", "title", "reason", "errors")
_SAID_LENGTH = 120

# The deeds that a state lets a person do, the likeliest first.
DEEDS: Mapping[str, tuple[str, ...]] = {
    "pending": ("retry", "hold", "give_up"),
    "held": ("release", "give_up", "dismiss"),
    "given_up": ("replay", "dismiss"),
    "dismissed": ("replay",),
    "delivered": ("replay",),
    "filtered": ("replay",),
    "refused": ("verify", "dismiss"),
    "duplicate": ("run_duplicate",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One moment of an event's own road."""

    at: Micros | None  # None: still to come
    tone: str  # good, warn, bad, mute, info
    picture: str  # an icon's name
    title: str
    words: Markup
    attempt: RecordedAttempt | None = None


def state_of(listed: Listed) -> str:
    """An event's state in one word: its verdict's, or the least settled of its deliveries'."""
    if listed.event.verdict is not Verdict.ACCEPTED:
        ran = [one for one in listed.deliveries if listed.event.verdict is not Verdict.REFUSED]
        return _worst(ran) if ran else listed.event.verdict.value
    if listed.waiting:
        return "waiting"
    return _worst(current(listed.deliveries)) if listed.deliveries else "accepted"


def current(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The last run to each destination, and whatever of earlier runs is still under way."""
    last: dict[int, int] = {}
    every = list(deliveries)
    for one in every:
        last[one.destination] = max(one.run, last.get(one.destination, 0))
    under_way = (DeliveryState.PENDING, DeliveryState.HELD)
    return [one for one in every if one.run == last[one.destination] or one.state in under_way]


def _worst(deliveries: Iterable[Delivery]) -> str:
    return min((one.state.value for one in deliveries), key=_WORST_FIRST.index)


def what_happened(listed: Listed, attempts: Mapping[str, RecordedAttempt], names: Names, times: Times) -> Markup:
    """A list's last column: what there is to say about an event, the least settled delivery first."""
    event = listed.event
    if event.verdict is Verdict.REFUSED:
        return th("events.said.refused", why=reason_of(event.reason).text)
    if event.verdict is Verdict.DUPLICATE and not listed.deliveries:
        return th("events.said.duplicate")
    if event.verdict is Verdict.FILTERED and not listed.deliveries:
        return th("events.said.filtered", type=event.event_type or t("events.no_type"))
    if event.verdict is Verdict.SPLIT:
        return th("events.said.split")
    if listed.waiting:
        return th("events.said.waiting")
    told = sorted(current(listed.deliveries), key=lambda one: _WORST_FIRST.index(one.state.value))
    one_each = [sentence(one, [attempts[one.id]] if one.id in attempts else [], names, times) for one in told]
    return Markup(" ").join(one_each) if one_each else th("events.said.nowhere")


def sentence(delivery: Delivery, attempts: Sequence[RecordedAttempt], names: Names, times: Times) -> Markup:
    """What became of a delivery and what is next: "ERP refused it (HTTP 422: unknown SKU 88-12). We'll try again at 19:05."

    `attempts`: this delivery's, in order; the last is enough.
    """
    destination = names.destination(delivery.destination)
    happened = attempt_sentence(attempts[-1], destination) if attempts else None
    match delivery.state:
        case DeliveryState.DELIVERED:
            return happened or th("events.said.delivered", destination=destination)
        case DeliveryState.PENDING if delivery.due_at > times.now:
            following = th(
                "events.said.next" if happened else "events.said.first",
                destination=destination,
                at=moment(delivery.due_at, times),
            )
        case DeliveryState.PENDING:
            following = th("events.said.due" if happened else "events.said.due_first", destination=destination)
        case DeliveryState.GIVEN_UP:
            following = th("events.said.given_up", destination=destination, n=delivery.attempts)
        case state:
            following = th(f"events.said.{state.value}", destination=destination)
    return happened + Markup(" ") + following if happened else following


def attempt_sentence(attempt: RecordedAttempt, destination: str) -> Markup:
    """What one attempt came to."""
    took = figures.span(attempt.duration)
    if attempt.outcome == "delivered":
        key = "events.said.answered" if attempt.http_status else "events.said.took"
        return th(key, destination=destination, status=str(attempt.http_status), took=took)
    if attempt.http_status is None:
        return th("events.said.failed", destination=destination, why=attempt.error or attempt.error_code)
    said = answer_said(attempt.answer)
    key = (
        "events.said.turned_down"
        if 400 <= attempt.http_status < 500 and attempt.http_status != 429
        else "events.said.could_not"
    )
    return th(f"{key}_because" if said else key, destination=destination, status=str(attempt.http_status), why=said)


def answer_said(answer: bytes) -> str:
    """The sentence in an answer: a JSON answer's message, or the first line of plain text; empty for a web page."""
    text = answer.decode("utf-8", "replace").strip()
    try:
        text = _message(json.loads(text))
    except (ValueError, RecursionError):
        text = "" if text.startswith(("<", "{", "[")) else text.split("\n", 1)[0]
    text = seen(" ".join(text.split())).rstrip(".")
    return text if len(text) <= _SAID_LENGTH else f"{text[:_SAID_LENGTH]}…"


def _message(value: Any) -> str:
    for _ in range(4):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict):
            value = next((value[key] for key in _SAID_KEYS if value.get(key)), "")
        else:
            break
    return value if isinstance(value, str) else ""


def moment(at: Micros, times: Times) -> Markup:
    """A moment in a sentence, with all of it on hover."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(rfc3339(at), times.in_full(at), times.when(at))


def reason_of(code: str) -> Problem:
    """Why an event was refused, in words."""
    try:
        return problem(code)
    except KeyError:  # a code of another version, or one whose words want values
        return Problem(code, t("events.reason_unknown", code=code), "")


def road(timeline: Timeline, names: Names, times: Times) -> list[Step]:
    """An event's timeline: received, verified, planned, tried, settled."""
    event, listed = timeline.listed.event, timeline.listed
    arrived = th(
        f"events.road.received_{event.arrived_by.value}",
        remote=event.remote,
        size=figures.size(event.body_bytes),
    )
    steps = [
        Step(at=event.received_at, tone="info", picture="arrow", title=t("events.step.received"), words=arrived),
        _judged(timeline),
    ]
    if listed.waiting:
        steps.append(_step(None, "warn", "clock", "planned", th("events.road.waiting")))
    elif listed.deliveries:
        to = ", ".join(dict.fromkeys(names.destination(one.destination) for one in listed.deliveries))
        steps.append(_step(None, "good", "check", "planned", th("events.road.planned", n=len(listed.deliveries), to=to)))
    by_id = {one.id: one for one in listed.deliveries}
    steps += [_tried(one, by_id, names) for one in timeline.attempts]
    return steps + [_open(one, names, times) for one in listed.deliveries if one.state is not DeliveryState.DELIVERED]


def _step(at: Micros | None, tone: str, picture: str, title: str, words: Markup) -> Step:
    return Step(at=at, tone=tone, picture=picture, title=t(f"events.step.{title}"), words=words)


def _judged(timeline: Timeline) -> Step:
    event = timeline.listed.event
    match event.verdict:
        case Verdict.REFUSED:
            why = reason_of(event.reason)
            return _step(None, "bad", "cross", "refused", th("events.road.refused", why=why.text))
        case Verdict.DUPLICATE:
            return _step(None, "mute", "copy", "duplicate", th("events.road.duplicate"))
        case Verdict.FILTERED:
            return _step(
                None, "mute", "skip", "filtered", th("events.road.filtered", type=event.event_type or t("events.no_type"))
            )
        case Verdict.SPLIT:
            return _step(None, "good", "check", "split", th("events.road.split", n=len(timeline.items)))
    return _step(None, "good", "check", "verified", th("events.road.verified"))


def _tried(attempt: RecordedAttempt, by_id: Mapping[str, Delivery], names: Names) -> Step:
    delivery = by_id[attempt.delivery_id]
    delivered = attempt.outcome == "delivered"
    return Step(
        at=attempt.started_at,
        tone="good" if delivered else "bad",
        picture="check" if delivered else "cross",
        title=t("events.step.delivered") if delivered else t("events.step.tried", number=attempt.number),
        words=attempt_sentence(attempt, names.destination(delivery.destination)),
        attempt=attempt,
    )


def _open(delivery: Delivery, names: Names, times: Times) -> Step:
    tone, picture = {"pending": ("warn", "retry"), "held": ("mute", "pause"), "given_up": ("bad", "warn")}.get(
        delivery.state.value, ("mute", "skip")
    )
    return Step(
        at=None,
        tone=tone,
        picture=picture,
        title=t(f"events.step.{delivery.state.value}"),
        words=sentence(delivery, [], names, times),
    )
