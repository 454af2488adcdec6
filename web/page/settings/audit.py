"""The audit log: who did what, newest first, in words."""

from dataclasses import dataclass

from litestar import get
from litestar.response import Template

from store.people import AuditLine
from touchpoints.moment import Micros
from web.api.front_desk import AtFrontDesk, CallerRequest
from web.page.settings.section import screen_of
from web.page.words import known, t

_ROWS = 50
_SHORT = 100  # characters of a detail that stand in the row itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line as the page tells it."""

    at: Micros
    who: str
    what: str
    detail: str = ""
    changes: tuple[str, ...] = ()  # what a change of the configuration touched
    folded: bool = False  # too much for the row


@get("/settings/audit", include_in_schema=False)
async def audit_page(desk: AtFrontDesk, request: CallerRequest) -> Template:
    """A page of it."""
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    lines = await desk.people.audited(limit=_ROWS, before=before)
    older = f"/settings/audit?before={lines[-1][0]}" if len(lines) == _ROWS else ""
    return screen_of(request, desk, "audit", lines=[told(line) for _, line in lines], older=older)


def told(line: AuditLine) -> Told:
    """A line in words; an action of another version stands as its code."""
    key = f"settings.audit.action.{line.action}"
    changes = tuple(line.detail.split(", ")) if line.action == "config.apply" else ()
    return Told(
        at=line.at,
        who=_who(line.actor),
        what=t(key) if known(key) else line.action,
        detail=line.detail,
        changes=changes,
        folded=len(changes) > 1 or len(line.detail) > _SHORT,
    )


def _who(actor: str) -> str:
    if actor == "machine":
        return t("settings.audit.machine")
    kind, _, name = actor.partition(":")
    return t("settings.audit.token", name=name) if kind == "token" and name else actor
