"""What a proof vouches for: whether a value could have been put there by somebody who only saw a signed request."""

from collections.abc import Callable

from touchpoints.pointer import tokens_of
from touchpoints.selector import Place, selector
from touchpoints.template import template
from touchpoints.touchpoint import Verification
from touchpoints.verifiers import adyen, braintree

_TEXTS = frozenset({"body", "json", "form", "xml", "jwt"})  # kinds of places that stand in the body
_SNS = frozenset({"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"})

Spelled = tuple[str, str, tuple[str, ...]]


def covers(verification: Verification, key: str) -> bool:
    """Whether the proof vouches for what a selector finds, so that nobody else could have put it there.

    A credential vouches for the whole request; an unsigned touchpoint vouches for nothing.
    """
    if verification.scheme == "none":
        return False
    covered = _COVERED.get(verification.scheme)
    return not key or covered is None or covered(verification, key)


def _each(covered: Callable[[Place], bool]) -> Callable[[Verification, str], bool]:
    """For schemes that always sign the same: every alternative, and every joined part of it, must be covered."""

    def check(_verification: Verification, key: str) -> bool:
        return all(covered(part) for place in selector(key).places for part in place.joined or (place,) if part.kind != "const")

    return check


def _by_template(verification: Verification, key: str) -> bool:
    holes = template(verification.signed).holes
    named = {_spelled(hole) for hole in holes if ":" in hole}
    if "id" in holes:
        named.add(_spelled(verification.message_id))
    # The same alternatives in the same order: else a stranger could add the one that is signed second and read first.
    if _spelled(key) in named:
        return True
    body, url = bool(holes & {"body", "base64_body", "sha256hex_body"}), bool(holes & {"url", "url_decoded", "path_query"})

    def covered(place: Place) -> bool:
        whole = (place.kind in _TEXTS and body) or (place.kind == "query" and url)
        return whole or (_one(place),) in named

    return _each(covered)(verification, key)


def _spelled(text: str) -> tuple[Spelled, ...]:
    return tuple(_one(place) for place in selector(text).places)


def _one(place: Place) -> Spelled:
    return place.kind, place.argument.lower() if place.kind == "header" else place.argument, place.steps


def _by_adyen(place: Place) -> bool:
    path = tokens_of(place.argument) if place.kind == "json" else ()
    return len(path) > 3 and (path[0], path[2]) == (adyen.LIST, adyen.ITEM) and path[3:] in adyen.SIGNED


def _by_sns(place: Place) -> bool:
    return place.kind == "json" and place.argument.removeprefix("/") in _SNS


def _by_jwt(verification: Verification, key: str) -> bool:
    """One in a header is a credential; of one that is the body nothing else is vouched for."""
    return verification.credential != "body" or _each(lambda place: place.kind in {"jwt", "body"})(verification, key)


_COVERED: dict[str, Callable[[Verification, str], bool]] = {
    "hmac": _by_template,
    "hash_prefix": _by_template,
    "asymmetric": _by_template,
    "jwt": _by_jwt,
    "twilio": _each(lambda place: place.kind in _TEXTS or place.kind == "query"),
    "adyen": _each(_by_adyen),
    "braintree": _each(lambda place: (place.kind, place.argument) == ("form", braintree.PAYLOAD)),
    "sns": _each(_by_sns),
    "paypal": _each(lambda place: place.kind == "header" and place.argument.lower() == "paypal-transmission-id"),
    "ebay": _each(lambda place: place.kind in _TEXTS),
}
