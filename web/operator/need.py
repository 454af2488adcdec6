"""What needs the operator, each thing with why, and the way to what mends it."""

from web.operator.control import Json
from web.page.need import BACKUP_CODES, Shown
from web.page.words import known, t

_MILD = {
    "quota_half",
    "no_agent_yet",
    "certificate_expires",
    "no_organisation_yet",
    "agent_lacks",
    "server_not_set_up",
    "store_migrating",
}
_WAYS = {
    "server_not_set_up": "/begin/server",
    "listener_down": "/settings/server",
    "config_not_applied": "/settings/server",
    "certificate_expires": "/settings/server",
    "queue_store_down": "/settings/about",
    "no_organisation_yet": "/add-organisation",
    "secret_stale": "/settings/backup",
    **dict.fromkeys(BACKUP_CODES, "/settings/backup"),
}


def needs_shown(status: Json) -> list[Shown]:
    """The needs of a status, the grave ones first."""
    return sorted((_shown(one) for one in status["needs_you"]), key=lambda one: one.mild)


def _shown(need: Json) -> Shown:
    code, mend, organisation = need["code"], need["mend"], need["organisation"]
    text = need["text"].removesuffix(mend).strip()
    if known(f"operator.mend.{code}"):
        mend = t(f"operator.mend.{code}")
    way = f"/organisations/{organisation}" if organisation else _WAYS.get(code)
    word = t("operator.needs.organisation" if organisation else "operator.needs.there")
    return Shown(text=text, mend=mend, mild=code in _MILD, look=(word, way) if way else None)
