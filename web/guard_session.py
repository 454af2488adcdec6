"""The session cookie: its name, how it is read, how it is set."""

from collections.abc import Iterable

from litestar.datastructures import Cookie

_LONGEST = 512


def cookie_name(instance: str) -> str:
    """Two instances on one machine share its cookies, whatever their ports: each has a name of its own."""
    return f"hookport-{instance[:8]}"


def session_value(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """The session's value in a request. None also when there are two: a stranger may have planted one."""
    found = [
        value.strip()
        for header, line in headers
        if header == b"cookie"
        for pair in line.decode("latin-1").split(";")
        for key, _, value in (pair.partition("="),)
        if key.strip() == name
    ]
    return found[0] if len(found) == 1 and 0 < len(found[0]) <= _LONGEST else None


def session_cookie(name: str, value: str, *, secure: bool) -> Cookie:
    """The cookie that signs in. It ends with the browser; the store ends it after half a day without use."""
    return Cookie(key=name, value=value, path="/", httponly=True, samesite="strict", secure=secure)


def no_session_cookie(name: str, *, secure: bool) -> Cookie:
    """The cookie that takes it back."""
    return Cookie(key=name, value="", path="/", httponly=True, samesite="strict", secure=secure, max_age=0)
