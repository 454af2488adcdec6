"""Ticks of health: a touchpoint's last thirty deliveries, each a mark with its state and time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from touchpoints.moment import Micros
from web.api.desk import Desk
from web.page.times import Times
from web.page.words import t

MOST = 30
_TONES = {"delivered": "good", "pending": "warn", "given_up": "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One mark."""

    tone: str  # good | warn | bad | mute
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """The marks, oldest first, and all of them in a sentence."""

    marks: tuple[Tick, ...]
    words: str


async def ticks_of(desk: Desk, touchpoints: Sequence[int]) -> Mapping[int, Ticks]:
    """The ticks of each touchpoint."""
    found = await desk.log().recent_deliveries(touchpoints, limit=MOST)
    times = desk.times
    return {one: _ticks(found.get(one, ()), times) for one in touchpoints}


def _ticks(deliveries: Sequence[tuple[Micros, str]], times: Times) -> Ticks:
    states = [state for _, state in deliveries]
    counted = ", ".join(f"{states.count(state)} {t(f'base.state.{state}')}" for state in dict.fromkeys(states))
    marks = tuple(
        Tick(tone=_TONES.get(state, "mute"), words=f"{t(f'base.state.{state}')}, {times.in_full(at)}")
        for at, state in deliveries
    )
    words = t("touchpoints.ticks.words", n=len(states), counted=counted) if states else t("touchpoints.ticks.none")
    return Ticks(marks=marks, words=words)
