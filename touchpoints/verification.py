"""Proving a sender: the registry of schemes, and the checks that a configuration must pass before it is used."""

import re
from collections.abc import Callable

from touchpoints.moment import Micros
from touchpoints.problem import Problem, problem
from touchpoints.published_key import NO_KEYS, Keys
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading, selector
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verifiers import basic, hmac, token, unsigned
from touchpoints.verifiers.check import Check

Verifier = Callable[[Reading, Check], Refused | Wanting | None]  # None: the sender is proved

VERIFIERS: dict[str, Verifier] = {
    "hmac": hmac.verify,
    "token": token.verify,
    "basic": basic.verify,
    "none": unsigned.verify,
}

_KEY_FORMS = {"whsec": "it begins with whsec_", "hex": "it is written in hexadecimal", "base64": "it is written in Base64"}


def verify(reading: Reading, touchpoint: Touchpoint, now: Micros, keys: Keys = NO_KEYS) -> Refused | Wanting | None:
    """Why the sender isn't proved, or None. Never raises for a verification that passed `verification_problem`.

    Of a touchpoint's verifications the first decides whose proof the request brings and that takes one of the secrets: a
    request that fails by it is refused, whatever another one would say.
    """
    first = touchpoint.verification
    if not touchpoint.secrets and needs_secret(first):
        return Refused(code="no_secret")
    if not touchpoint.alternatives:
        return _by(first, touchpoint.secrets, reading, now, keys)
    for verification in (first, *touchpoint.alternatives):
        secrets = _taken(verification, touchpoint.secrets)
        if secrets and _brings(reading, verification):
            return _by(verification, secrets, reading, now, keys)
    return Refused(code="signature_missing")


def _by(
    verification: Verification, secrets: tuple[str, ...], reading: Reading, now: Micros, keys: Keys
) -> Refused | Wanting | None:
    return VERIFIERS[verification.scheme](reading, Check(verification=verification, secrets=secrets, now=now, keys=keys))


def _taken(verification: Verification, secrets: tuple[str, ...]) -> tuple[str, ...]:
    form = verification.secret_form
    return tuple(secret for secret in secrets if re.fullmatch(form, secret)) if form else secrets


def _brings(reading: Reading, verification: Verification) -> bool:
    """Whether the request has what this verification looks at."""
    place = verification.signature or verification.credential
    return bool(selector(place).values(reading)) if place else False


def needs_secret(verification: Verification) -> bool:
    """Whether a touchpoint without secrets is in setup."""
    return verification.scheme != "none"


def verification_problem(verification: Verification, *, path: str = "") -> Problem | None:
    """What keeps a verification from being used, or None."""
    if verification.scheme not in VERIFIERS:
        reason = f'the scheme "{verification.scheme[:40]}" is not one of {", ".join(VERIFIERS)}'
        return problem("verify_invalid", path=path, reason=reason)
    if verification.scheme == "none" and not verification.allow_unsigned:
        return problem("unsigned_not_allowed", path=path)
    try:
        if verification.scheme == "hmac":
            hmac.scheme(verification)
        elif verification.scheme == "token":
            selector(verification.credential or "header:")
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


def secret_problem(verification: Verification, secret: str, *, path: str = "") -> Problem | None:
    """What is wrong with a secret's form, or None; the secret itself is never in the words."""
    if verification.scheme == "basic" and ":" not in secret:
        return problem("secret_malformed", path=path, form="it is a user name and a password with a colon between them")
    if verification.scheme == "hmac" and hmac.key_of(verification.key, secret) is None:
        return problem("secret_malformed", path=path, form=_KEY_FORMS.get(verification.key, "it is not empty"))
    return None if secret.strip() else problem("secret_malformed", path=path, form="it is not empty")


def covers(verification: Verification, key: str) -> bool:
    """Whether the signature vouches for a dedup key (a selector), so that nobody else could have put it there.

    A credential vouches for the whole request; an unsigned touchpoint vouches for nothing.
    """
    if verification.scheme != "hmac" or not key:
        return verification.scheme != "none"
    signed = hmac.scheme(verification).signed.holes
    named = {_alternatives(hole) for hole in signed if ":" in hole}
    if "id" in signed:
        named.add(_alternatives(verification.message_id))
    # The same alternatives in the same order: else a stranger could add the one that is signed second and read first.
    if _alternatives(key) in named:
        return True
    whole = {"body": "body", "json": "body", "form": "body", "query": "path_query" if "path_query" in signed else "url"}
    return all(place.kind == "const" or whole.get(place.kind) in signed for place in selector(key).places)


def _alternatives(text: str) -> tuple[str, ...]:
    places = selector(text).places
    return tuple(f"{place.kind}:{place.argument.lower() if place.kind == 'header' else place.argument}" for place in places)
