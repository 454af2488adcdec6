"""Setting up, step three: which web application sends, what it needs, and where its events go."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from litestar import get, post
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from store.configuration import Actor
from touchpoints.problem import Problem, ProblemError, problem
from touchpoints.provider import providers
from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.password import confirmed
from web.page.picker import pick_groups
from web.page.render import go, show
from web.page.sender_values import sender_values
from web.page.signin import Form

_PLAIN = ("name", "scheme", "header", "kind", "url", "path", "credential", "public_url", "split")
_TEXTS = ("credential", "public_url", "verify_token")
_EXAMPLE = r"C:\ERP\in" if sys.platform == "win32" else "/srv/erp/in"


@get("/begin/touchpoint", include_in_schema=False)
async def touchpoint_page(desk: AtDesk, request: CallerRequest) -> Template:
    """Every provider to choose from; once one is chosen, what it needs and where its events go."""
    return _form(request, desk, {"provider": request.query_params.get("provider", "")})


@post("/begin/touchpoint", include_in_schema=False)
async def add_first(data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Add it; with a folder, by the password as well."""
    try:
        problems = await _add(data, desk, request)
    except ProblemError as error:
        problems = list(error.problems)
    return _form(request, desk, data, problems) if problems else go(f"/begin/touchpoint/{data['name'].strip()}")


async def _add(data: dict[str, str], desk: Desk, request: CallerRequest) -> list[Problem]:
    name = data.get("name", "").strip()
    if any(name in (one.name, *one.aliases) for one in desk.control.configuration().touchpoints):
        return [problem("setup_touchpoint_taken", path="name", name=ascii(name[:64])[1:-1])]
    actor: Actor = request.user.actor
    if data.get("kind") == "folder":
        if not Path(data.get("path", "").strip()).is_absolute():
            return [problem("setup_folder_relative", path="path", example=_EXAMPLE)]
        actor = await confirmed(desk, request, data.get("password", ""))
    applied = await desk.control.apply(
        {"touchpoint": [_document(data)]}, base="", digest="", prune=False, dry_run=False, actor=actor
    )
    return list(applied.problems)


def _document(data: dict[str, str]) -> dict[str, Any]:
    to = (
        {"kind": "folder", "path": data.get("path", "").strip()}
        if data.get("kind") == "folder"
        else {"kind": "http", "url": data.get("url", "").strip()}
    )
    made = {"name": data.get("name", "").strip(), **sender_answers(data), "destination": [to]}
    return {**made, "verify": _verify(data)} if made["provider"] == "generic" else made


def sender_answers(data: dict[str, str]) -> dict[str, Any]:
    """What a form says about the sender, as keys of `[[touchpoint]]`."""
    secret = data.get("secret", "").strip()
    return {
        "provider": data.get("provider", ""),
        "secrets": [secret] if secret else [],
        **{key: text for key in _TEXTS if (text := data.get(key, "").strip())},
        **({"split": True} if data.get("split") == "on" else {}),
    }


def _verify(data: dict[str, str]) -> dict[str, Any]:
    """How a generic sender is proved: the two common ways, or not at all; the rest is set in the touchpoint's own form."""
    scheme, header = data.get("scheme", "hmac"), data.get("header", "").strip()
    if scheme == "none":
        return {"scheme": "none", "allow_unsigned": True}
    return {"scheme": scheme, "header": header}


def _form(request: CallerRequest, desk: Desk, data: dict[str, str], problems: list[Problem] | None = None) -> Template:
    preset = providers().get(data.get("provider", ""))
    around: dict[str, Any] = {
        "status": 422 if problems else 200,
        "section": "touchpoints",
        "first": not desk.control.configuration().touchpoints,
        "problems": problems or [],
    }
    if preset is None:
        groups = pick_groups(lambda name: f"/begin/touchpoint?provider={quote(name)}")
        return show(request, desk, "setup_sender.html", **around, groups=groups)
    given = {key: data.get(key, "") for key in _PLAIN}
    return show(request, desk, "setup_touchpoint.html", **around, **sender_values(preset), given=given, example=_EXAMPLE)


TOUCHPOINT_STEP_HANDLERS: list[ControllerRouterHandler] = [touchpoint_page, add_first]
