"""The badge in the head of every screen: how webhooks arrive, and whether they can."""

from dataclasses import dataclass

from web.membership import Standing
from web.page.standing import state_shown, why
from web.page.words import t
from web.vitals import Vitals

_PROXY = {  # a state's tone and icon
    "connected": ("good", "check"),
    "connecting": ("info", "clock"),
    "standby": ("mute", "pause"),
    "waiting_key": ("warn", "key"),
    "paused": ("warn", "pause"),
    "off": ("mute", "ring"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """One way in."""

    tone: str  # good, warn, bad, mute, info
    icon: str
    word: str  # DIRECT, PROXY
    to: str
    hint: str  # on hover
    place: str = ""  # where senders reach it
    how: str = ""  # its state in a word


def badges(vitals: Vitals, standing: Standing, mode: str | None) -> list[Badge]:
    """The ways in that are chosen, or the one that says that none is."""
    found = []
    if mode in ("direct", "both") or (mode is None and vitals.direct != "off"):
        found.append(_direct(vitals))
    if mode in ("proxy", "both"):
        found.append(_proxy(standing, mode))
    return found or [_none()]


def _direct(vitals: Vitals) -> Badge:
    if vitals.direct == "up":
        word, hint = t("base.mode.direct"), t("base.mode.up_hint")
        return Badge(tone="good", icon="check", word=word, to="/settings", hint=hint, place=vitals.direct_url)
    if vitals.direct == "down":
        return Badge(tone="bad", icon="cross", word=t("base.mode.down"), to="/settings", hint=vitals.direct_error)
    return _none()


def _none() -> Badge:
    return Badge(tone="warn", icon="warn", word=t("base.mode.off"), to="/settings", hint=t("base.mode.off_hint"))


def _proxy(standing: Standing, mode: str | None) -> Badge:
    state = state_shown(standing, mode)
    tone, icon = _PROXY.get(state, ("bad", "cross"))
    return Badge(
        tone=tone,
        icon=icon,
        word=t("base.mode.proxy"),
        to="/settings/proxy",
        hint=why(standing) or t("base.mode.up_hint"),
        place=standing.host,
        how=t(f"base.state.{state}"),
    )
