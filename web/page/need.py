"""What needs a person, each thing with why, and the way to the deed that mends it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from web.control import Json
from web.page.words import known, t

_MILD = {
    "mode_not_chosen",
    "no_secret_yet",
    "secret_captured",
    "store_migrating",
    "certificate_expires",
    "refused_events",
    "proxy_quota_half",
    "proxy_lacking",
    "proxy_key_waits",
    "proxy_settings_differ",
}
BACKUP_CODES = ("backup_failed", "backup_no_room", "backup_too_large", "restored", "restored_nothing_held", "proxy_put_back")
# Where a need is mended that no touchpoint has; by its code.
_SETTINGS = {
    "listener_down": "/settings",
    "config_not_applied": "/settings",
    "certificate_expires": "/settings/access",
    "page_certificate_expires": "/settings/access",
    "disk_low": "/settings/storage",
    "store_full": "/settings/storage",
    **dict.fromkeys(BACKUP_CODES, "/settings/backup"),
    "alert_email_failed": "/settings/alerts",
    "alert_webhook_failed": "/settings/alerts",
}
# Codes of what is mended on the proxy's screen begin so.
_PROXY = ("proxy_", "pull_", "recovery_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One need as the page shows it."""

    text: str
    mend: str
    mild: bool
    look: tuple[str, str] | None = None  # word and address
    deed: tuple[str, str] | None = None


def needs_shown(status: Json) -> list[Shown]:
    """The needs of a status, the grave ones first."""
    return sorted((_shown(one) for one in status["needs_you"]), key=lambda one: one.mild)


def _shown(need: Json) -> Shown:
    code, mend = need["code"], need["mend"]
    look, deed = _ways(need)
    text = need["text"].removesuffix(mend).strip()
    if known(f"home.text.{code}"):
        text = t(f"home.text.{code}", n=need["count"], touchpoint=need["touchpoint"])
    if known(f"home.mend.{code}"):
        mend = t(f"home.mend.{code}")
    return Shown(text=text, mend=mend, mild=code in _MILD, look=look, deed=deed)


def _ways(need: Json) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    code, touchpoint = need["code"], need["touchpoint"]
    where = {name: need[name] for name in ("touchpoint", "destination") if need[name]}
    match code:
        case "given_up":
            return _events("show_given_up", need, where, "given_up"), _act("replay", where, "given_up")
        case "destination_down":
            return _events("show_waiting", need, where, "pending"), _act("retry", where, "pending")
        case "mode_not_chosen":
            return None, (t("home.needs.choose"), "/begin/arrival")
        case "refused_events":
            return _events("show_refused", need, where, "refused"), None
        case "events_lack_touchpoint":
            return _events("show_refused", need, where, "refused"), (t("home.needs.add"), "/begin/touchpoint")
    if code in _SETTINGS:
        return None, (t("home.needs.settings"), _SETTINGS[code])
    if code.startswith(_PROXY):
        return None, (t("home.needs.proxy"), "/settings/proxy")
    if touchpoint:
        return None, (t("home.needs.touchpoint"), f"/touchpoints/{touchpoint}")
    return None, None


def _events(word: str, need: Json, where: dict[str, str], state: str) -> tuple[str, str]:
    return t(f"home.needs.{word}", n=need["count"]), f"/events?{urlencode({**where, 'state': state})}"


def _act(action: str, where: dict[str, str], state: str) -> tuple[str, str]:
    return t(f"home.needs.{action}"), f"/events/act/{action}?{urlencode({**where, 'state': state})}"
