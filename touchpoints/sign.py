"""Signing a test event the way the touchpoint's provider signs; the inverse of verification, by the same table.

`signed_url`, then `signed_body`, then `sign`: each adds what its sender writes there.
"""

import base64
from urllib.parse import quote, urlsplit

from touchpoints.event import Headers
from touchpoints.moment import MINUTE, SECOND, Micros
from touchpoints.provider import provider
from touchpoints.request import Request
from touchpoints.selector import Reading, selector
from touchpoints.sign_body import signed_body
from touchpoints.signer import Signer, chosen, first_place, made, request_of, unsignable, with_header
from touchpoints.touchpoint import Touchpoint
from touchpoints.verification import place_of
from touchpoints.verifiers import jwt, twilio
from touchpoints.verifiers.proof import plan_of

__all__ = ["sample", "sign", "sign_standard", "signed_body", "signed_url"]

_STANDARD = "standard_webhooks"
_IN_BODY = frozenset({"adyen", "braintree"})


def sample(touchpoint: Touchpoint) -> bytes:
    """A body such as the touchpoint's provider sends."""
    return provider(touchpoint.provider).sample.body.encode()


def sign(touchpoint: Touchpoint, body: bytes, headers: Headers, now: Micros, url: str, message_id: str) -> Headers:
    """The headers a provider would send with this body: those given, its usual ones, and the proof by the first secret.

    Given headers win over the usual ones; a proof already there is replaced. A proof that stands in the query or the body
    is put there by `signed_url` and `signed_body`. Raises ProblemError(test_needs_secret, test_unsignable, secret_malformed).
    """
    headers = _with_usual(touchpoint, headers, message_id)
    signer = chosen(touchpoint, body)
    headers = _with_condition(headers, signer)
    scheme = signer.verification.scheme
    if scheme in _IN_BODY or scheme == "none":
        return headers
    request = request_of(headers, body, now, url)
    if scheme == "twilio":
        return _by_twilio(request, signer)
    if scheme == "jwt":
        return _by_jwt(request, signer)
    if scheme == "basic":
        return with_header(headers, "authorization", b"Basic " + base64.b64encode(signer.secret.encode()))
    if scheme != "token":
        return _by_template(request, signer, message_id)
    place = first_place(selector(signer.verification.credential))
    if place.kind != "header":
        return headers
    if place.steps:
        raise unsignable(f"header:{place.argument}")
    return with_header(headers, place.argument, (signer.verification.prefix + signer.secret).encode())


def signed_url(touchpoint: Touchpoint, url: str) -> str:
    """The URL with the credential, where the provider puts it in the query; else the URL as it is. Raises as `sign` does."""
    signer = chosen(touchpoint, sample(touchpoint))
    place = first_place(selector(signer.verification.credential)) if signer.verification.scheme == "token" else None
    if place is None or place.kind != "query":
        return url
    pair = f"{quote(place.argument, safe='')}={quote(signer.verification.prefix + signer.secret, safe='')}"
    return f"{url}{'&' if urlsplit(url).query else '?'}{pair}"


def sign_standard(secret: str, message_id: str, now: Micros, body: bytes) -> Headers:
    """The three headers of Standard Webhooks for what we send. Raises ProblemError(secret_malformed)."""
    signer = Signer(provider(_STANDARD).verification(), secret)
    return _by_template(request_of((), body, now, ""), signer, message_id)


def _with_usual(touchpoint: Touchpoint, headers: Headers, message_id: str) -> Headers:
    """The headers with those the provider's events come with: content type, event type, the id it repeats on a retry."""
    usual_event = provider(touchpoint.provider).sample
    usual = {"content-type": usual_event.content_type, **usual_event.headers}
    for place, value in ((touchpoint.event_type, usual_event.event_type), (touchpoint.dedup.key, message_id)):
        first = first_place(selector(place)) if place else None
        if first is not None and first.kind == "header" and not first.steps:
            usual[first.argument.lower()] = value
    given = {name for name, _ in headers}
    return (*headers, *((name.encode(), value.encode()) for name, value in usual.items() if name.encode() not in given))


def _with_condition(headers: Headers, signer: Signer) -> Headers:
    """The headers with the one that says which of several signatures is meant."""
    place, _, value = signer.verification.when.rpartition("=")
    condition = first_place(selector(place)) if place else None
    return with_header(headers, condition.argument, value.encode()) if condition and condition.kind == "header" else headers


def _by_template(request: Request, signer: Signer, message_id: str) -> Headers:
    plan = plan_of(signer.verification)
    place = first_place(plan.signature) if plan.signature else None
    if place is not None and place.kind != "header":
        return request.headers
    if place is not None and place.steps:
        raise unsignable(f"header:{place.argument}")
    name = place.argument if place else f"{plan.tag.decode()}1"
    signature = made(signer, request, message_id)
    return with_header(signature.headers, name, signature.text)


def _by_twilio(request: Request, signer: Signer) -> Headers:
    fields = twilio.signed_fields(Reading(request))
    if fields is None:
        raise unsignable("a body that does not fit its URL")
    digest = twilio.digest(signer.secret, request.url, fields, "sha1")
    return with_header(request.headers, twilio.SIGNATURE, base64.b64encode(digest))


def _by_jwt(request: Request, signer: Signer) -> Headers:
    """A token by a secret, that claims what it must and ends as soon as a sender's would."""
    from jwt import encode

    verification, second = signer.verification, request.received_at // SECOND
    claims: dict[str, str | int] = {"iat": second, "exp": second + 5 * MINUTE // SECOND}
    for names, texts in jwt.scheme(verification).claims:
        claims[names[0]] = jwt.filled_in(texts[0], Reading(request), signer.secret)
    algorithm = verification.algorithm.partition("|")[0]
    token = encode(claims, signer.secret, algorithm, sort_headers=True)
    place = first_place(selector(place_of(verification)))
    return with_header(request.headers, place.argument, f"{verification.prefix}{token}".encode())
