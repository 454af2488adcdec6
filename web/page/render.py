"""Rendering: templates with the page's words and figures, escaped always; whole screens, fragments, and redirects."""

from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request
from litestar.datastructures import Cookie
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from litestar.template import TemplateConfig

from touchpoints.moment import rfc3339
from web.api.front_desk import CallerRequest, FrontDesk
from web.page import figures
from web.page.assets import asset_url
from web.page.badge import badges
from web.page.body_view import shown
from web.page.provider_words import step_shown
from web.page.words import known, t, th

THEMES = ("system", "light", "dark")
THEME_COOKIE = "hookport-theme"
SAID_COOKIE = "hookport-said"


@cache
def environment() -> Environment:
    """All templates. An undefined name is an error, never an empty place."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"t": t, "th": th, "known": known, "asset": asset_url, "step_shown": step_shown}
    made.filters |= {"number": figures.number, "size": figures.size, "span": figures.span, "rfc3339": rfc3339, "seen": shown}
    return made


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """What Litestar needs to render our templates."""
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment()))


def templates_of(request: Request[Any, Any, Any]) -> Environment:
    """The templates of the page that is asked: the agent's or the operator's."""
    return cast(JinjaTemplateEngine, request.app.template_engine).engine


def fragment(template: str, **values: Any) -> str:
    """A piece of a screen, the same for everybody."""
    return environment().get_template(template).render(values)


def show(
    request: CallerRequest,
    desk: FrontDesk,
    template: str,
    *,
    section: str = "",
    status: int = 200,
    **values: Any,
) -> Template:
    """A screen. `section` is the entry of the navigation it belongs to: home, touchpoints, events, export, settings.

    The template sees `values`, and: section, vitals, badges, theme, said (what the last deed came to, shown once), times,
    person.
    """
    said = unquote(request.cookies.get(SAID_COOKIE, ""))[:500]
    around = {
        "section": section,
        "vitals": desk.vitals(),
        "badges": badges(desk.vitals(), desk.standing, desk.mode),
        "theme": theme_of(request),
        "said": said,
        "times": desk.times,
        "person": getattr(request.scope.get("user"), "name", ""),
    }
    shown = Template(template, context={**around, **values}, status_code=status, media_type="text/html")
    if said:
        shown.delete_cookie(SAID_COOKIE)
    return shown


def go(to: str, *, said: str = "") -> Redirect:
    """After a form: on to a page of ours (303), which shows `said` once."""
    answer = Redirect(to, status_code=303)
    if said:
        answer.set_cookie(Cookie(SAID_COOKIE, value=quote(said[:500]), max_age=30, httponly=True, samesite="strict"))
    return answer


def theme_of(request: CallerRequest) -> str:
    """The theme that was chosen: system, light or dark."""
    chosen = request.cookies.get(THEME_COOKIE, "system")
    return chosen if chosen in THEMES else "system"


def is_inside(request: CallerRequest) -> bool:
    """Whether htmx asks for a piece of a screen rather than the whole."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-history-restore-request") != "true"
