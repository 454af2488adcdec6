"""What went wrong on the way to an HTTP destination, as a failure a person understands."""

import httpx

from touchpoints.attempt import Blame, Failed
from touchpoints.moment import SECOND, Micros
from touchpoints.problem import problem


class NotConnected(httpx.ConnectError):
    """No connection, for a reason worth its own problem code: no_handles, tls_error, ca_unreadable or address_refused."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code


def failed(error: Exception, *, where: str, timeout: Micros) -> Failed:
    """The failure that an exception of a transport comes to; every one of them speaks of the destination."""
    code = _code(error)
    detail = str(error).rstrip(".") or "it gave no reason"
    words = problem(code, where=where, detail=detail, seconds=timeout / SECOND)
    return Failed(blame=Blame.DESTINATION, code=code, error=words.text)


def _code(error: Exception) -> str:
    match error:
        case NotConnected():
            return error.code
        case TimeoutError() | httpx.TimeoutException():
            return "timeout"
        case httpx.ProxyError():
            return "proxy_error"
        case httpx.RemoteProtocolError():
            return "bad_answer"
        case httpx.ConnectError() | httpx.UnsupportedProtocol():
            return "no_connection"
        case _:
            return "disconnected"
