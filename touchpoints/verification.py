"""Proving a sender: the registry of schemes, and the checks that a configuration must pass before it is used."""

import re
from collections.abc import Callable, Mapping, Sequence

from touchpoints.moment import Micros
from touchpoints.problem import Problem, problem
from touchpoints.public_key import is_private
from touchpoints.published_key import NO_KEYS, Keys
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading, selector
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verifiers import (
    adyen,
    asymmetric,
    basic,
    braintree,
    ebay,
    hash_prefix,
    hmac,
    jwt,
    paypal,
    sns,
    token,
    twilio,
    unsigned,
)
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.key_choice import is_published
from touchpoints.verifiers.key_secret import key_secret_problem

Verifier = Callable[[Reading, Check], Refused | Wanting | None]  # None: the sender is proved

VERIFIERS: dict[str, Verifier] = {
    "hmac": hmac.verify,
    "hash_prefix": hash_prefix.verify,
    "twilio": twilio.verify,
    "adyen": adyen.verify,
    "braintree": braintree.verify,
    "asymmetric": asymmetric.verify,
    "jwt": jwt.verify,
    "sns": sns.verify,
    "paypal": paypal.verify,
    "ebay": ebay.verify,
    "token": token.verify,
    "basic": basic.verify,
    "none": unsigned.verify,
}

_CREDENTIALS = frozenset({"token", "basic"})

# Where the proof stands, of schemes that do not say so in `signature` or `credential`.
_PLACES: Mapping[str, str] = {
    "twilio": f"header:{twilio.SIGNATURE}",
    "adyen": f"json:/{adyen.LIST}/*/{adyen.ITEM}/{'/'.join(adyen.SIGNATURE)}",
    "braintree": f"form:{braintree.SIGNATURE}",
    "sns": "json:/Signature",
    "paypal": "header:paypal-transmission-sig",
    "ebay": "header:x-ebay-signature",
    "basic": "header:authorization",
}


def verify(reading: Reading, touchpoint: Touchpoint, now: Micros, keys: Keys = NO_KEYS) -> Refused | Wanting | None:
    """Why the sender isn't proved, or None. Never raises for a verification that passed `verification_problem`.

    Of a touchpoint's verifications the first decides whose proof the request brings and that takes one of the secrets: a
    request that fails by it is refused, whatever another one would say, unless it says `or_next`.
    """
    first = touchpoint.verification
    if not touchpoint.secrets and needs_secret(first):
        return Refused(code="no_secret")
    if not touchpoint.alternatives:
        return _by(first, touchpoint.secrets, reading, now, keys)
    untaken, refused = False, None
    for verification in (first, *touchpoint.alternatives):
        if not brings(reading, verification):
            continue
        secrets = taken(verification, touchpoint.secrets)
        if not secrets and needs_secret(verification):
            untaken = True
            continue
        found = _by(verification, secrets, reading, now, keys)
        if not isinstance(found, Refused):
            return found
        refused = refused or found
        if not verification.or_next:
            break
    if refused is not None:
        return refused
    missing = "credential_missing" if first.scheme in _CREDENTIALS else "signature_missing"
    return Refused(code="secret_unusable" if untaken else missing)


def _by(
    verification: Verification, secrets: tuple[str, ...], reading: Reading, now: Micros, keys: Keys
) -> Refused | Wanting | None:
    return VERIFIERS[verification.scheme](reading, Check(verification=verification, secrets=secrets, now=now, keys=keys))


def taken(verification: Verification, secrets: Sequence[str]) -> tuple[str, ...]:
    """Those secrets that a verification takes."""
    form = verification.secret_form
    return tuple(secret for secret in secrets if not form or re.fullmatch(form, secret, re.DOTALL))


def place_of(verification: Verification) -> str:
    """The selector of what proves its sender; empty where that is no single place."""
    return verification.signature or verification.credential or _PLACES.get(verification.scheme, "")


def brings(reading: Reading, verification: Verification) -> bool:
    """Whether the request has what this verification looks at."""
    if verification.when:
        place, _, value = verification.when.rpartition("=")
        if selector(place).values(reading) != [value.encode()]:
            return False
    layout, _, prefix = verification.layout.partition(":")
    if layout == "numbered":
        return bool(reading.numbered(prefix.lower().encode()))
    place = place_of(verification)
    return bool(selector(place).values(reading)) if place else False


def needs_secret(verification: Verification) -> bool:
    """Whether a touchpoint without secrets is in setup."""
    match verification.scheme:
        case "none":
            return False
        case "jwt":
            return jwt.needs_secret(verification)
        case "asymmetric":
            return not is_published(verification) or bool(verification.credential)
        case _:
            return True


def _check_credential(verification: Verification) -> None:
    selector(verification.credential or "header:")


CHECKS: dict[str, Callable[[Verification], object]] = {
    "hmac": hmac.scheme,
    "hash_prefix": hash_prefix.scheme,
    "asymmetric": asymmetric.scheme,
    "jwt": jwt.scheme,
    "token": _check_credential,
}


def verification_problem(verification: Verification, *, path: str = "") -> Problem | None:
    """What keeps a verification from being used, or None."""
    if verification.scheme not in VERIFIERS:
        reason = f'the scheme "{verification.scheme[:40]}" is not one of {", ".join(VERIFIERS)}'
        return problem("verify_invalid", path=path, reason=reason)
    if verification.scheme == "none" and not verification.allow_unsigned:
        return problem("unsigned_not_allowed", path=path)
    try:
        if check := CHECKS.get(verification.scheme):
            check(verification)
        if verification.when:
            selector(verification.when.rpartition("=")[0])
    except ValueError as error:
        return problem("verify_invalid", path=path, reason=error)
    return None


def selector_problem(text: str, *, path: str = "") -> Problem | None:
    """What is wrong with a selector of a configuration, or None; empty is allowed."""
    try:
        if text:
            selector(text)
    except ValueError as error:
        return problem("selector_invalid", path=path, reason=error)
    return None


_KEY_FORMS = {"whsec": "it begins with whsec_", "hex": "it is written in hexadecimal", "base64": "it is written in Base64"}
_BY_PUBLIC_KEY = frozenset({"asymmetric", "jwt", "sns", "paypal", "ebay"})


def secret_problem(
    verification: Verification, secret: str, *, alternatives: Sequence[Verification] = (), path: str = ""
) -> Problem | None:
    """What is wrong with a secret's form, or None; the secret itself is never in the words.

    Where a touchpoint has alternatives, the secret must be right for one of those that take it.
    """
    if not secret.strip():
        return problem("secret_malformed", path=path, form="it is not empty")
    every = (verification, *alternatives)
    if is_private(secret) and any(one.scheme in _BY_PUBLIC_KEY for one in every):
        return problem("secret_private_key", path=path)
    taking = [one for one in every if taken(one, (secret,))]
    found = [_secret_problem(one, secret, path) for one in taking or [verification]]
    return None if None in found else found[0]


def _secret_problem(verification: Verification, secret: str, path: str) -> Problem | None:
    if verification.scheme in _BY_PUBLIC_KEY:
        return key_secret_problem(verification, secret, path=path)
    form = _wanted_form(verification, secret)
    return problem("secret_malformed", path=path, form=form) if form else None


def _wanted_form(verification: Verification, secret: str) -> str:
    """The form that a secret has not; empty when it is right."""
    match verification.scheme:
        case "basic":
            return "" if ":" in secret else "it is a user name and a password with a colon between them"
        case "braintree":
            return "" if braintree.parts_of(secret) else "it is the public key and the private key with a colon between them"
        case "adyen":
            return "" if hmac.key_of("hex", secret) else _KEY_FORMS["hex"]
        case "hmac":
            right = hmac.key_of(verification.key, secret) is not None
            return "" if right else _KEY_FORMS.get(verification.key, "it is not empty")
        case _:
            return ""
