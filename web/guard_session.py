"""The session cookie: its name, how it is read, whose session it is, how it is set."""

from collections.abc import Iterable

from litestar.datastructures import Cookie

from store.door import Door, Session
from touchpoints.moment import Micros
from web.guard_token import token_digest

_LONGEST = 512
_MOST = 4


def cookie_name(instance: str) -> str:
    """Two instances on one machine share its cookies, whatever their ports: each has a name of its own."""
    return f"hookport-{instance[:8]}"


def session_values(headers: Iterable[tuple[bytes, bytes]], name: str) -> tuple[str, ...]:
    """What a request says its session is; more than one when a stranger has planted cookies. None where there are very many."""
    found = {
        value.strip(): None
        for header, line in headers
        if header == b"cookie"
        for pair in line.decode("latin-1").split(";")
        for key, _, value in (pair.partition("="),)
        if key.strip() == name
    }
    values = tuple(value for value in found if 0 < len(value) <= _LONGEST)
    return values if len(values) <= _MOST else ()


async def living_session(
    door: Door, headers: Iterable[tuple[bytes, bytes]], instance: str, *, now: Micros, note: bool = True
) -> Session | None:
    """The session of a request; with `note`, this counts as its use.

    Cookies know no ports: whoever serves another one of this machine can plant some beside ours. They neither sign anybody in
    nor keep anybody out; where two are sessions that live, none counts.
    """
    values = session_values(headers, cookie_name(instance))
    found = [await door.session(token_digest(value), now=now, note=note) for value in values]
    living = [one for one in found if one is not None]
    return living[0] if len(living) == 1 else None


def session_cookie(name: str, value: str, *, secure: bool) -> Cookie:
    """The cookie that signs in. It ends with the browser; the store ends it after half a day without use."""
    return Cookie(key=name, value=value, path="/", httponly=True, samesite="strict", secure=secure)


def no_session_cookie(name: str, *, secure: bool) -> Cookie:
    """The cookie that takes it back."""
    return Cookie(key=name, value="", path="/", httponly=True, samesite="strict", secure=secure, max_age=0)
