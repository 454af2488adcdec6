"""Signing a test event the way the touchpoint's provider signs; the inverse of verification, by the same table."""

import base64
from dataclasses import replace
from urllib.parse import quote, urlsplit

from touchpoints.event import Headers
from touchpoints.moment import Micros
from touchpoints.problem import ProblemError, problem
from touchpoints.provider import provider
from touchpoints.request import Request
from touchpoints.selector import Place, Reading, selector
from touchpoints.template import Material
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verifiers import hmac

_STANDARD = "standard_webhooks"


def sample(touchpoint: Touchpoint) -> bytes:
    """A body such as the touchpoint's provider sends."""
    return provider(touchpoint.provider).sample.body.encode()


def sign(touchpoint: Touchpoint, body: bytes, headers: Headers, now: Micros, url: str, message_id: str) -> Headers:
    """The headers a provider would send with this body: those given, its usual ones, and the proof by the first secret.

    Given headers win over the usual ones; a proof already there is replaced. A credential in the query is the URL's: see
    `signed_url`. Raises ProblemError(test_needs_secret, test_unsignable, secret_malformed).
    """
    headers = _with_usual(touchpoint, headers, message_id)
    verification = touchpoint.verification
    if verification.scheme == "none":
        return headers
    secret = _secret(touchpoint)
    if verification.scheme == "hmac":
        return _sign_hmac(verification, secret, _request(headers, body, now, url), now, message_id)
    if verification.scheme == "basic":
        return _with(headers, "authorization", b"Basic " + base64.b64encode(secret.encode()))
    place = selector(verification.credential).places[0]
    if place.kind == "query":
        return headers
    return _with(headers, _header(place), (verification.prefix + secret).encode())


def signed_url(touchpoint: Touchpoint, url: str) -> str:
    """The URL with the credential, where the provider puts it in the query; else the URL as it is. Raises as `sign` does."""
    verification = touchpoint.verification
    place = selector(verification.credential).places[0] if verification.scheme == "token" else None
    if place is None or place.kind != "query":
        return url
    pair = f"{quote(place.argument, safe='')}={quote(verification.prefix + _secret(touchpoint), safe='')}"
    return f"{url}{'&' if urlsplit(url).query else '?'}{pair}"


def sign_standard(secret: str, message_id: str, now: Micros, body: bytes) -> Headers:
    """The three headers of Standard Webhooks for what we send. Raises ProblemError(secret_malformed)."""
    request = _request((), body, now, "")
    return _sign_hmac(provider(_STANDARD).verification(), secret, request, now, message_id)


def _with_usual(touchpoint: Touchpoint, headers: Headers, message_id: str) -> Headers:
    """The headers with those the provider's events come with: content type, event type, the id it repeats on a retry."""
    usual_event = provider(touchpoint.provider).sample
    usual = {"content-type": usual_event.content_type, **usual_event.headers}
    for place, value in ((touchpoint.event_type, usual_event.event_type), (touchpoint.dedup.key, message_id)):
        first = selector(place).places[0] if place else None
        if first is not None and first.kind == "header":
            usual[first.argument.lower()] = value
    given = {name for name, _ in headers}
    return (*headers, *((name.encode(), value.encode()) for name, value in usual.items() if name.encode() not in given))


def _secret(touchpoint: Touchpoint) -> str:
    if not touchpoint.secrets:
        raise ProblemError(problem("test_needs_secret", path=f"touchpoint.{touchpoint.name}.secrets"))
    return touchpoint.secrets[0]


def _request(headers: Headers, body: bytes, now: Micros, url: str) -> Request:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request(method="POST", target=target, headers=headers, body=body, remote="", received_at=now, url=url)


def _sign_hmac(verification: Verification, secret: str, request: Request, now: Micros, message_id: str) -> Headers:
    plan = hmac.scheme(verification)
    key = hmac.key_of(plan.key, secret)
    if key is None:
        raise ProblemError(problem("secret_malformed", form="such as whsec_ and Base64 where the provider uses that"))
    headers = request.headers
    ts, id_ = b"", b""
    if verification.timestamp:
        ts = str(now // plan.unit).encode()
    if plan.message_id is not None:
        id_ = message_id.encode()
        headers = _with(headers, _header(plan.message_id.places[0]), id_)
    if plan.timestamp is not None:
        headers = _with(headers, _header(plan.timestamp.places[0]), ts)
    pieces = plan.signed.pieces(Material(Reading(replace(request, headers=headers)), ts, id_))
    if pieces is None:
        raise ProblemError(problem("test_unsignable", place="a part of the request that this body lacks"))
    signature = plan.encoding.encode(hmac.digest(key, pieces, plan.algorithm))
    return _with(headers, _header(plan.signature.places[0]), plan.prefix + _lay_out(plan, signature, ts))


def _lay_out(plan: hmac.Scheme, signature: bytes, ts: bytes) -> bytes:
    if plan.split is hmac.LAYOUTS["csvkv"]:
        stamp = plan.timestamp_field + b"=" + ts + b"," if plan.timestamp_field else b""
        return stamp + plan.tag + b"=" + signature
    return plan.tag + b"," + signature if plan.split is hmac.LAYOUTS["spacelist"] else signature


def _header(place: Place) -> str:
    if place.kind != "header":
        raise ProblemError(problem("test_unsignable", place=f"{place.kind}:{place.argument}"))
    return place.argument


def _with(headers: Headers, name: str, value: bytes) -> Headers:
    lower = name.lower().encode()
    return (*(pair for pair in headers if pair[0] != lower), (lower, value))
