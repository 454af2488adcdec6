"""The boxes of a touchpoint: each a form that changes a part of it."""

from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from touchpoints.problem import Problem
from touchpoints.provider import Provider, provider
from web.api.desk import AtDesk, CallerRequest
from web.page.change import change, touchpoint_of, written_touchpoint
from web.page.entry import Json, changes, placed
from web.page.event_types import with_types
from web.page.render import go
from web.page.signin import Form
from web.page.touchpoint import touchpoint_screen
from web.page.touchpoint_boxes import BOXES, FORM, defaults, fields
from web.page.words import t


@get("/touchpoints/{name:str}", include_in_schema=False)
async def touchpoint_page(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template:
    """Its road, its boxes, a test."""
    return await touchpoint_screen(desk, request, name, opened=request.query_params.get("box", ""))


@post("/touchpoints/{name:str}/box/{box:str}", include_in_schema=False)
async def save_box(
    name: FromPath[str], box: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest
) -> Template | Redirect:
    """Save what a box changes; what is wrong stands beside its field."""
    if box not in BOXES:
        raise NotFoundException
    stored = await written_touchpoint(desk, name)
    preset = provider(stored["provider"])
    group = fields(box, preset)
    answers = with_types(preset, data) if box == "events" else data
    changed = changes(group, stored, answers, form=FORM, defaults=defaults(preset.name))
    complete(changed, stored, preset)
    if box == "verification" and data.get("again", "").strip():
        changed["secrets"] = [data["again"]]  # a kept one stays with the way of checking that it was given for
    problems = await change(desk, request, {"touchpoint": [{"name": name, **changed}]}) if changed else []
    if problems:
        errors, others = placed(problems, group, f"touchpoint.{name}")
        return await touchpoint_screen(desk, request, name, opened=box, given=data, errors=errors, problems=others)
    return go(f"/touchpoints/{name}?box={box}#{box}", said=t("touchpoints.saved"))


def complete(changed: Json, stored: Json, now: Provider) -> None:
    """What a change cannot stand without; `now` is the provider before it."""
    if changed.get("provider") == "generic" and now.name != "generic":
        changed["verify"] = {"scheme": "hmac", "header": "X-Webhook-Signature"}
    elif changed.get("split") and "verify" in now.open:
        changed.setdefault("items", stored.get("items", ""))  # left empty, the body itself is the list
    elif "verify" in changed:
        scheme = stored.get("verify", {}).get("scheme") or now.verify.get("scheme", "hmac")
        changed["verify"].setdefault("scheme", scheme)


@post("/touchpoints/{name:str}/secrets", include_in_schema=False)
async def save_secrets(name: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Add a secret beside the others or in their place, or take one away; none is ever shown."""
    kept = (await written_touchpoint(desk, name)).get("secrets", [])
    fresh, gone = data.get("secret", ""), data.get("remove", "")
    if gone:
        secrets = [one for one in kept if one != f"stored:{gone}"]
    elif fresh.strip():
        secrets = [fresh] if data.get("alone") == "on" else [fresh, *kept]
    else:
        return go(f"/touchpoints/{name}?box=sender#sender")
    if problems := await change(desk, request, {"touchpoint": [{"name": name, "secrets": secrets}]}):
        return await touchpoint_screen(desk, request, name, opened="sender", problems=problems)
    return go(
        f"/touchpoints/{name}?box=sender#sender", said=t("touchpoints.secrets.removed" if gone else "touchpoints.secrets.added")
    )


@post("/touchpoints/{name:str}/rename", include_in_schema=False)
async def rename(name: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Rename it; the old URL still works."""
    touchpoint_of(desk, name)
    new = data.get("name", "").strip()
    applied = await desk.control.rename(name, new, actor=request.user.actor)
    return await _done(
        desk, request, name, applied.problems, "aliases", f"/touchpoints/{new}", t("touchpoints.renamed", name=new)
    )


@post("/touchpoints/{name:str}/remove", include_in_schema=False)
async def remove(name: FromPath[str], desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """Remove it; refused while something is undelivered."""
    touchpoint_of(desk, name)
    applied = await desk.control.remove(name, actor=request.user.actor)
    return await _done(desk, request, name, applied.problems, "remove", "/touchpoints", t("touchpoints.removed", name=name))


async def _done(
    desk: AtDesk, request: CallerRequest, name: str, problems: tuple[Problem, ...], box: str, onward: str, said: str
) -> Template | Redirect:
    if problems:
        return await touchpoint_screen(desk, request, name, opened=box, problems=list(problems))
    return go(onward, said=said)


TOUCHPOINT_FORM_HANDLERS: list[ControllerRouterHandler] = [touchpoint_page, save_box, save_secrets, rename, remove]
