"""What can go wrong on the way to a proxy, each with words for a person. No word holds a secret, a token or a body."""

import httpx

from touchpoints.problem import Problem, problem


class RemoteError(Exception):
    """A call to the proxy did not come to what was asked; `problem` says it in words."""

    def __init__(self, why: Problem) -> None:
        super().__init__(why.text)
        self.problem = why


class Unreachable(RemoteError):
    """No answer of the proxy: nothing is known of what it did."""


class Tampered(RemoteError):
    """What came is not what the pinned key signed; nothing of it may be used."""


class NotAuthorized(RemoteError):
    """The proxy does not know this agent, or not its signature."""


class Revoked(RemoteError):
    """The proxy, proved by its key, says that this agent or its organisation is no more."""


class ProxyBusy(RemoteError):
    """Not now. `retry_after`: seconds, at least."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(problem("proxy_busy", seconds=f"{retry_after:g}"))
        self.retry_after = retry_after


class Refused(RemoteError):
    """The proxy will not do what was asked; trying the same again is of no use. `code` is the proxy's own."""

    def __init__(self, status: int, said: Problem) -> None:
        super().__init__(problem("proxy_refuses", why=said.text, mend=said.mend))
        self.status = status
        self.code = said.code


def silent(seconds: float) -> Unreachable:
    """The deadline passed: a connection that is half open looks like this, too."""
    return Unreachable(problem("proxy_silent", seconds=f"{seconds:g}"))


def unreachable(error: Exception) -> Unreachable:
    """What a transport's exception means."""
    why = str(error).strip().rstrip(".")[:200] or type(error).__name__
    if "\n" in why or not why.isprintable():
        why = type(error).__name__
    if isinstance(error, httpx.ProxyError):
        return Unreachable(problem("proxy_corporate", why=why))
    if getattr(error, "code", "") == "tls_error":
        return Unreachable(problem("proxy_tls", why=why))
    return Unreachable(problem("proxy_unreachable", why=why))


def tampered(why: str) -> Tampered:
    """What came is not what was signed."""
    return Tampered(problem("proxy_tampered", why=why))
