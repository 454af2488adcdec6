"""Captured secrets: a secret that a sender set itself is shown with when and from where, until a person has looked at it."""

from typing import Any

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from web.api.desk import AtDesk, CallerRequest, Desk
from web.page.change import change, touchpoint_of, written_touchpoint
from web.page.render import go
from web.page.signin import Form
from web.page.theme import inside
from web.page.words import t


def captured_of(desk: Desk, name: str) -> dict[str, Any] | None:
    """See web.control.Control.captured; of one touchpoint."""
    return next((one for one in desk.control.captured() if one["touchpoint"] == name), None)


@post("/touchpoints/{name:str}/captured", include_in_schema=False)
async def settle_captured(name: FromPath[str], data: Form, desk: AtDesk, request: CallerRequest) -> Template | Redirect:
    """It was the sender: no longer told. Or forget it: without another one the touchpoint waits for a secret again."""
    touchpoint, back = touchpoint_of(desk, name), inside(data.get("back", f"/touchpoints/{name}"))
    if data.get("deed") != "forget":
        await desk.control.dismiss_captured(touchpoint.name, actor=request.user.actor)
        return go(back, said=t("provider.captured.seen"))
    gone = captured_of(desk, touchpoint.name)
    kept = (await written_touchpoint(desk, touchpoint.name)).get("secrets", []) if gone else []
    secrets = [one for one in kept if gone and one != f"stored:{gone['fingerprint']}"]
    if gone and (problems := await change(desk, request, {"touchpoint": [{"name": touchpoint.name, "secrets": secrets}]})):
        return go(back, said=" ".join(str(one.text) for one in problems))
    await desk.control.dismiss_captured(touchpoint.name, actor=request.user.actor)
    return go(back, said=t("provider.captured.forgotten"))
