"""Requests that are long in ways that a careless reader pays for more than once: nested, repeated, divided, escaped."""

from collections.abc import Sequence
from dataclasses import replace

from tests.touchpoints.factory import NOW, URL, fitting_secret, make_request, make_touchpoint
from touchpoints.problem import ProblemError
from touchpoints.provider import providers
from touchpoints.request import Request
from touchpoints.sign import sample, sign, signed_body
from touchpoints.touchpoint import Touchpoint

PLACES = ("body", "header", "headers", "query")

# What stands before, what is repeated, and what stands behind.
SHAPES: Sequence[tuple[bytes, bytes, bytes]] = (
    (b"", b"{", b""),
    (b"", b"[", b""),
    (b"", b'{"a":', b"1"),
    (b'"', b"\\", b'"'),
    (b"", b'"', b""),
    (b"", b"<a>", b""),
    (b"<a", b" a='b'", b"/>"),
    (b"<a>", b"&amp;", b"</a>"),
    (b"<a>", b"<!--", b"-->"),
    (b"", b"a=1&", b""),
    (b"a=", b"%41", b""),
    (b"", b"v1=00,", b""),
    (b"t=1795000000,", b"v1=00,", b""),
    (b"", b"v1,AA== ", b""),
    (b"", b"=", b""),
    (b"", b",", b""),
    (b"", b" ", b""),
    (b"", b".", b""),
    (b"", b"e30.", b"e30"),
    (b"Bearer ", b"A", b""),
    (b"sha256=", b"0", b""),
    (b"bt_signature=", b"public_1|00&", b"&bt_payload=AA"),
    (b"[", b'{"id":1,"eventType":"a"},', b"{}]"),
    (b'{"value":[', b'{"clientState":"x"},', b"{}]}"),
    (b'{"notificationItems":[', b'{"NotificationRequestItem":{"additionalData":{"hmacSignature":"AAAA"}}},', b"{}]}"),
    (b"<Envelope><Body><notifications>", b"<Notification><Id>1</Id></Notification>", b"</notifications></Body></Envelope>"),
)


def right(name: str) -> tuple[Touchpoint, Request]:
    """A touchpoint of a provider with a secret, and a request that looks like one of its own; signed where we can sign."""
    touchpoint = make_touchpoint(name, fitting_secret(name))
    try:
        body = signed_body(touchpoint, sample(touchpoint), NOW, "m-1")
        headers = sign(touchpoint, body, (), NOW, URL, "m-1")
    except ProblemError:  # only its sender can
        return touchpoint, make_request(providers()[name].sample.body.encode(), ((b"authorization", b"Bearer a"),))
    return touchpoint, make_request(body, headers)


def stretched(request: Request, place: str, shape: tuple[bytes, bytes, bytes], size: int) -> Request:
    """The request with `size` bytes of a shape in one place."""
    before, unit, behind = shape
    text = before + unit * (size // len(unit) + 1) + behind
    if place == "body":
        return replace(request, body=text)
    if place == "query":
        query = "".join(chr(byte) if 33 <= byte < 127 else "%20" for byte in text)
        return replace(request, target=f"{request.target}?{query}", url=f"{request.url}?{query}")
    if place == "header":
        return replace(request, headers=tuple((name, text) for name, _ in request.headers))
    many = tuple((name, before + unit + behind) for name, _ in request.headers for _ in range(size // len(unit) + 1))
    return replace(request, headers=many)
