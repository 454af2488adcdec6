"""What stands, what of it is to be told now, and what is known once that was told. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from appliance.needs import Need
from store.alerts import Key, Standing
from store.settings import AlertSettings
from touchpoints.moment import DAY, HOUR, Micros

# Needs that only the events file knows.
OF_EVENTS = frozenset(
    {"given_up", "destination_down", "refused_events", "stranded_events", "events_lack_touchpoint", "proxy_left"}
)
LONGEST_PATIENCE = HOUR  # before the all-clear of what comes and goes

Known = Mapping[Key, Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What needs a person at this moment, and of what cannot be said just now whether it does."""

    needs: Sequence[Need]
    whole: bool = True  # whether the events file could be asked
    unsure: frozenset[Key] = frozenset()

    def is_gone(self, one: Standing) -> bool:
        """Whether what is not among the needs is really there no longer."""
        return one.key not in self.unsure and (self.whole or one.code not in OF_EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What one message is to say."""

    news: Sequence[Standing] = ()
    again: Sequence[Standing] = ()  # told before, and still there
    mended: Sequence[Standing] = ()


def observe(known: Known, outlook: Outlook, *, kinds: Collection[str], group: Micros, now: Micros) -> Known:
    """What stands, with the needs of this moment."""
    there = {one.key: one for need in outlook.needs if need.problem.code in kinds for one in [standing_of(need, now)]}
    seen = {key: _there(known.get(key), one, now) for key, one in there.items()}
    for key, old in known.items():
        if key in there or old.code not in kinds:
            continue
        if not outlook.is_gone(old):
            seen[key] = old
        elif (left := _missing(old, group, now)) is not None:
            seen[key] = left
    return seen


def standing_of(need: Need, now: Micros) -> Standing:
    """A need that is seen for the first time."""
    words = need.alert or need.problem
    return Standing(
        code=words.code,
        touchpoint=need.touchpoint or "",
        destination=need.destination or "",
        text=_whole(words.text),
        mend=_whole(words.mend),
        count=need.count,
        since=now,
    )


def _whole(text: str) -> str:
    """A text that every channel can encode: names of files may hold what is no character."""
    return text.encode("utf-8", "replace").decode()


def _there(old: Standing | None, one: Standing, now: Micros) -> Standing:
    if old is None:
        return one
    if old.cleared_at is not None:
        return replace(one, returns=old.returns + 1)
    told_at = None if old.told_at is None else min(old.told_at, now)  # the clock was set back
    return replace(one, since=min(old.since, now), told_at=told_at, returns=old.returns)


def _missing(old: Standing, group: Micros, now: Micros) -> Standing | None:
    if old.cleared_at is not None:
        return old if now - old.cleared_at < DAY else None
    if old.gone_at is None:
        return replace(old, gone_at=now)
    if old.told_at is None and now - old.gone_at >= group:
        return None
    return replace(old, gone_at=min(old.gone_at, now))


def due(known: Known, settings: AlertSettings, *, now: Micros) -> Due | None:
    """What is to be told now; None while nothing is ripe. What comes first takes the rest along."""
    open_ = [one for one in known.values() if one.cleared_at is None]
    news = [one for one in open_ if one.told_at is None and one.gone_at is None]
    told = [one for one in open_ if one.told_at is not None and one.gone_at is None]
    mended = [one for one in open_ if one.told_at is not None and _stays_away(one, settings.group, now)]
    again = [one for one in told if _repeats(one, settings.repeat, now)]
    if not mended and not again and not any(now - one.since >= settings.group for one in news):
        return None
    if again and settings.repeat is not None:  # reminders of one day go together, though they were told at other hours
        again = [one for one in told if _repeats(one, settings.repeat // 2, now)]
    return Due(news=news, again=again, mended=mended)


def _stays_away(one: Standing, group: Micros, now: Micros) -> bool:
    """What keeps coming back must stay away for longer each time, so that a shaky destination doesn't fill a mailbox."""
    patience = max(group, min(group << min(one.returns, 12), LONGEST_PATIENCE))
    return one.gone_at is not None and now - one.gone_at >= patience


def _repeats(one: Standing, repeat: Micros | None, now: Micros) -> bool:
    return repeat is not None and one.told_at is not None and now - one.told_at >= repeat


def after(known: Known, said: Due, *, now: Micros) -> Known:
    """What is known once a message went out; what changed meanwhile stays as it is."""
    told = {one.key for one in (*said.news, *said.again)}
    mended = {one.key for one in said.mended}
    return {key: _after(one, told=key in told, mended=key in mended, now=now) for key, one in known.items()}


def _after(one: Standing, *, told: bool, mended: bool, now: Micros) -> Standing:
    if told:
        return replace(one, told_at=now)
    if mended:
        # It may have come back while the message went: then it is news again.
        return (
            replace(one, told_at=None, since=now, returns=one.returns + 1)
            if one.gone_at is None
            else replace(one, cleared_at=now)
        )
    return one
