"""A section of the configuration as a form, and its tabs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from litestar.response import Redirect, Template

from store.settings_definition import SECTIONS
from touchpoints.moment import Micros, from_datetime
from touchpoints.problem import Problem
from web.api.desk import CallerRequest, Desk
from web.api.front_desk import FrontDesk
from web.page.change import change, written
from web.page.entry import Entry, Place, changes, entries, placed, places
from web.page.port import free_port
from web.page.public_url import with_port
from web.page.render import go, show
from web.page.standing import state_shown
from web.page.words import t

SCREENS: dict[str, tuple[str, ...]] = {
    "arrival": ("agent",),
    "storage": ("retention", "limits"),
    "access": ("page",),
    "backup": ("backup",),
}
TABS = ("arrival", "proxy", "storage", "backup", "access", "alerts", "people", "audit", "about")


def _fields(section: str) -> dict[str, Place]:
    """A section's fields; the mode is not one of them, for a switch is told before it is done."""
    return {path: place for path, place in places(SECTIONS[section]).items() if (section, path) != ("agent", "mode")}


def address(screen: str) -> str:
    """Where a screen of the settings is."""
    return "/settings" if screen == "arrival" else f"/settings/{screen}"


def screen_of(
    request: CallerRequest, desk: FrontDesk, screen: str, *, part: str = "", status: int = 200, **values: Any
) -> Template:
    """One of the settings' screens, its tabs above it; `part` is one that a tab has beside its own."""
    shown = desk.tabs or TABS
    tabs = [(t("alerts.tab" if one == "alerts" else f"settings.{one}.tab"), address(one), one == screen) for one in shown]
    return show(request, desk, f"settings_{part or screen}.html", section="settings", status=status, tabs_of=tabs, **values)


def forms_of(
    groups: Mapping[str, Mapping[str, Place]],
    document: Mapping[str, Any],
    *,
    words: str,
    saving: str,
    given: Mapping[str, str] | None,
    problems: Sequence[Problem],
    sources: Mapping[str, str] | None = None,
) -> tuple[dict[str, list[Entry]], list[Problem]]:
    """A form for each section, and the problems that belong to no field; see `section_screen`.

    `sources`: where kept secrets come from, by their fingerprint.
    """
    forms: dict[str, list[Entry]] = {}
    others: list[Problem] = [] if saving else [*problems]
    for section, group in groups.items():
        mine = section == saving
        errors, left = placed(problems if mine else (), group, section)
        others += left
        forms[section] = entries(
            group,
            document.get(section, {}),
            form=section,
            words=f"{words}.{section}",
            given=given if mine else None,
            errors=errors,
            sources=sources,
        )
    return forms, others


async def section_screen(
    desk: Desk,
    request: CallerRequest,
    screen: str,
    *,
    saving: str = "",
    given: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> Template:
    """A screen of sections; `given` and `problems` belong to the one that is being saved."""
    groups = {section: _fields(section) for section in SCREENS[screen]}
    forms, others = forms_of(
        groups,
        await written(desk),
        words="settings.field",
        saving=saving,
        given=given,
        problems=problems,
        sources=await desk.control.secret_sources(),
    )
    return screen_of(
        request,
        desk,
        screen,
        status=422 if problems else 200,
        forms=forms,
        problems=others,
        free=free_port(problems),
        mode=desk.mode,
        standing=desk.standing,
        proxy_state=state_shown(desk.standing, desk.mode),
        overlap=desk.control.configuration().agent.switch_overlap,
        facts_now=desk.facts(),
        now_running=await desk.control.status(),
        **(await backups_of(desk) if screen == "backup" else {}),
    )


async def backups_of(desk: FrontDesk) -> dict[str, Any]:
    """`backups` that are kept; why the last try made none: `trouble`, or None; and of when the backup is that was put back
    and not looked at yet: `restored`, or None."""
    found = await desk.safekeeping.told()
    restored = None if found["restored"] is None else _moment(found["restored"])
    kept = [{**one, "made_at": _moment(one["made_at"])} for one in found["backups"]]
    return {"backups": kept, "trouble": found["trouble"], "restored": restored}


def _moment(text: str) -> Micros:
    return from_datetime(datetime.fromisoformat(text))


async def save_section(
    desk: Desk, request: CallerRequest, screen: str, section: str, data: Mapping[str, str]
) -> Template | Redirect:
    """Save what a form changes; a port is opened before anything is saved."""
    if free := data.get("free_port"):
        url = with_port(data.get("agent.host_public_url", ""), data.get("agent.port", ""), free)
        data = {**data, "agent.port": free, "agent.host_public_url": url}
    stored = (await written(desk)).get(section, {})
    changed = changes(_fields(section), stored, data, form=section)
    problems = await change(desk, request, {section: changed}) if changed else []
    if problems:
        return await section_screen(desk, request, screen, saving=section, given=data, problems=problems)
    return go(address(screen), said=t("settings.saved"))
