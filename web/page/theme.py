"""The theme: light, dark, or as the system has it; kept in a cookie, so that the first paint is right."""

from typing import Annotated

from litestar import post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from web.guard import OPEN
from web.guard_sign_in import safe_next
from web.page.render import THEME_COOKIE, THEMES, go

_YEAR = 365 * 24 * 3600


@post("/theme", opt={OPEN: True}, include_in_schema=False)
async def choose_theme(data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]) -> Redirect:
    """Keep the choice and go back."""
    answer = go(inside(data.get("next", "/")))
    if data.get("theme") in THEMES:
        answer.set_cookie(Cookie(THEME_COOKIE, value=data["theme"], max_age=_YEAR, samesite="strict"))
    return answer


def inside(path: str) -> str:
    """The path, if it can only lead to a page of ours; else the home screen."""
    return safe_next(path)
