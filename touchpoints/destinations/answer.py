"""An HTTP destination's answer, and the outcome it means."""

from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from touchpoints.attempt import Blame, Delivered, Failed, Outcome
from touchpoints.moment import DAY, SECOND, Micros, from_datetime
from touchpoints.problem import problem

KEPT = 2048  # bytes of an answer that are kept
READ = 65536  # bytes of an answer that are read before the connection is dropped instead
SHOWN = 200  # characters of an answer in an error


async def beginning(response: httpx.Response) -> bytes:
    """The first bytes of an answer. Reads it to its end, so that the connection can be used again, unless it is long."""
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("an answer of an asynchronous transport has an asynchronous stream")
    kept, seen = b"", 0
    try:
        async for chunk in stream:
            seen += len(chunk)
            kept += chunk[: KEPT - len(kept)]
            if seen > READ:
                break
    finally:
        await stream.aclose()
    return kept


def judge(response: httpx.Response, answer: bytes, *, where: str, now: Micros) -> Outcome:
    """What an answer means: delivered, or whom the failure speaks of."""
    status = response.status_code
    if 200 <= status < 300:
        return Delivered(http_status=status, answer=answer)
    code, blame, detail = _meaning(response, answer)
    return Failed(
        blame=blame,
        code=code,
        error=problem(code, where=where, status=status, detail=detail).text,
        http_status=status,
        answer=answer,
        retry_after=retry_after(response.headers.get("retry-after", ""), now=now),
    )


def _meaning(response: httpx.Response, answer: bytes) -> tuple[str, Blame, str]:
    status, said = response.status_code, _said(response, answer)
    if 300 <= status < 400:
        return "redirect", Blame.EVENT, _elsewhere(response.headers.get("location", ""))
    if status == 410:
        return "gone", Blame.FINAL, said
    if status in {429, 503}:
        return "unavailable", Blame.DESTINATION, said
    if status in {502, 504}:
        return "bad_gateway", Blame.DESTINATION, said
    if status == 407:
        return "proxy_error", Blame.DESTINATION, "it wants a user and a password (407)"
    return "http_status", Blame.EVENT, said


def retry_after(value: str, *, now: Micros) -> Micros | None:
    """A Retry-After header (whole seconds or an HTTP date) as a span of at most a day; None when it says nothing."""
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return min(int(value.lstrip("0")[:9] or 0) * SECOND, DAY)
    try:
        span = from_datetime(parsedate_to_datetime(value)) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(span, DAY) if span > 0 else None


def _said(response: httpx.Response, answer: bytes) -> str:
    """The beginning of a readable answer, on one line; empty for a compressed or empty one."""
    if "content-encoding" in response.headers:
        return ""
    text = answer.decode("utf-8", "replace")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if not line:
        return ""
    return f": {line[:SHOWN].rstrip('.')}{'…' if len(line) > SHOWN else ''}"


def _elsewhere(location: str) -> str:
    """Where a redirect points, without user, password and query, which may be secrets."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    shown = f"{parts.scheme}://{host}{parts.path}" if host else parts.path
    return f", to {shown[:SHOWN]}" if shown.isprintable() and shown else ""
