"""By which of a touchpoint's verifications a test event is signed, and the signature of those that sign a template."""

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

from touchpoints.event import Headers
from touchpoints.moment import Micros
from touchpoints.pointer import node_at, parse_json
from touchpoints.problem import ProblemError, problem
from touchpoints.request import Request
from touchpoints.selector import Place, Reading, Selector, selector
from touchpoints.template import Material
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import needs_secret, place_of, taken
from touchpoints.verifiers import adyen, hash_prefix, hmac
from touchpoints.verifiers.proof import Plan, plan_of

# A key signs that the receiver never has; a jwt is signed by a secret where its key says so.
_ONLY_SENDER = frozenset({"asymmetric", "jwt", "sns", "paypal", "ebay"})


class Signer(NamedTuple):
    """A verification and the secret to sign by, which is empty where none is needed."""

    verification: Verification
    secret: str


class Made(NamedTuple):
    """A signature as it stands at its place, and the headers with the time and id that it covers."""

    headers: Headers
    text: bytes


def unsignable(place: str) -> ProblemError:
    """The problem of a proof that cannot be written here."""
    return ProblemError(problem("test_unsignable", place=place))


def chosen(touchpoint: Touchpoint, body: bytes) -> Signer:
    """The first verification that takes a secret and that this body can be signed by.

    Raises ProblemError(test_needs_secret, test_unsignable).
    """
    first = touchpoint.verification
    if first.scheme == "none":
        return Signer(first, "")
    if not touchpoint.secrets and needs_secret(first):
        raise ProblemError(problem("test_needs_secret", path=f"touchpoint.{touchpoint.name}.secrets"))
    for verification in (first, *touchpoint.alternatives):
        secrets = taken(verification, touchpoint.secrets)
        if secrets and _can_sign(verification, body):
            return Signer(verification, secrets[0])
    raise unsignable(f"json:/{adyen.LIST}" if first.scheme == "adyen" else "a key that only the sender holds")


def can_sign(touchpoint: Touchpoint, body: bytes) -> bool:
    """Whether a test event of this body could be signed here, given a secret; not where only the sender holds the key."""
    return any(_can_sign(one, body) for one in (touchpoint.verification, *touchpoint.alternatives))


def _can_sign(verification: Verification, body: bytes) -> bool:
    if verification.scheme == "adyen":
        return bool(node_at(parse_json(body), (adyen.LIST, "0", adyen.ITEM, "eventCode")))
    if verification.scheme == "jwt" and verification.key == "utf8":
        return selector(place_of(verification)).places[0].kind == "header"
    return verification.scheme not in _ONLY_SENDER


def request_of(headers: Headers, body: bytes, now: Micros, url: str) -> Request:
    """The request that a sender would make to the URL."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request(method="POST", target=target, headers=headers, body=body, remote="", received_at=now, url=url)


def with_header(headers: Headers, name: str, value: bytes) -> Headers:
    """The headers with one header set, and none of that name beside it."""
    lower = name.lower().encode()
    return (*(pair for pair in headers if pair[0] != lower), (lower, value))


def first_place(place: Selector) -> Place:
    """Where a sender writes what stands at a selector: its first alternative."""
    return place.places[0]


def made(signer: Signer, request: Request, message_id: str) -> Made:
    """The signature of a request by a scheme that signs a template. Raises ProblemError(test_unsignable, secret_malformed)."""
    verification, plan = signer.verification, plan_of(signer.verification)
    headers = request.headers
    ts = plan.unit.write(request.received_at) if verification.timestamp else b""
    id_ = message_id.encode()
    if plan.message_id is not None:
        headers, id_ = _placed(headers, plan.message_id, id_, request)
    if plan.timestamp is not None:
        headers, ts = _placed(headers, plan.timestamp, ts, request)
    material = Material(Reading(replace(request, headers=headers)), ts, id_)
    digest = _digest(signer, plan, material)
    if digest is None:
        raise unsignable("a part of the request that this body lacks")
    return Made(headers, plan.prefix + _laid_out(plan, plan.encoding.encode(digest), ts))


def _placed(headers: Headers, selected: Selector, value: bytes, request: Request) -> tuple[Headers, bytes]:
    """The headers with the value at its place; where that is no header, the value that is already there."""
    place = first_place(selected)
    if place.kind == "header" and not place.steps:
        return with_header(headers, place.argument, value), value
    found = selected.values(Reading(request))
    if len(found) != 1:
        raise unsignable(f"{place.kind}:{place.argument}")
    return headers, found[0]


def _digest(signer: Signer, plan: Plan, material: Material) -> bytes | None:
    verification = signer.verification
    if verification.scheme == "hash_prefix":
        return hash_prefix.digest(plan, signer.secret, material, verification.algorithm)
    key = hmac.key_of(verification.key, signer.secret)
    if key is None:
        raise ProblemError(problem("secret_malformed", form="such as whsec_ and Base64 where the provider uses that"))
    pieces = plan.signed.pieces(material)
    return hmac.digest(key, pieces, verification.algorithm) if pieces is not None else None


def _laid_out(plan: Plan, signature: bytes, ts: bytes) -> bytes:
    if plan.layout == "csvkv":
        stamp = plan.timestamp_field + b"=" + ts + b"," if plan.timestamp_field else b""
        return stamp + plan.tag + b"=" + signature
    return plan.tag + b"," + signature if plan.layout == "spacelist" else signature
