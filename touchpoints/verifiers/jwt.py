"""JSON Web Tokens: in a header, in a list in the body, or the whole body; PyJWT, loaded when first asked, proves them.

`credential` says where the token stands (`body`: it is the body). `algorithm` names what may sign, divided by `|`: a token's
own word is never taken for it. `audience`, `issuer` and `claims` are templates; beside the holes of `touchpoints.template` they
have `{secret}`, `{secret:1}` and `{secret:2}` (what stands before and after its first colon) and `{qsh}`. All claims must fit
by the same secret.
"""

import hmac
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from touchpoints.moment import SECOND, Micros
from touchpoints.public_key import key_of
from touchpoints.request import Refused, Wanting
from touchpoints.selector import Reading, selector
from touchpoints.template import Material, template
from touchpoints.touchpoint import Verification
from touchpoints.verifiers.check import Check
from touchpoints.verifiers.encoding import from_base64url
from touchpoints.verifiers.hmac import verbatim
from touchpoints.verifiers.key_choice import check_keys, is_published, keys_for
from touchpoints.verifiers.qsh import qsh

LONGEST_TOKEN = 1024 * 1024  # where it is the body
LONGEST_IN_HEADER = 16 * 1024
MOST_TOKENS = 10
LEAST_SECRET = {"HS256": 32, "HS384": 48, "HS512": 64}  # bytes: RFC 7518, section 3.2

PUBLIC = frozenset({"RS256", "RS384", "RS512", "PS256", "ES256", "EdDSA"})

_HOLE = re.compile(r"\{([^{}]*)\}")
_SINGLE = frozenset({"header", "query", "form"})
_LATEST = 1 << 53


class Plan(NamedTuple):
    """A verification's fields, compiled once."""

    algorithms: Sequence[str]
    whole: bool
    claims: Sequence[tuple[Sequence[str], Sequence[str]]]  # names, any of which may hold it; what it may be


@lru_cache(maxsize=256)
def scheme(verification: Verification) -> Plan:
    """The compiled form of a jwt verification. Raises ValueError in words when its fields do not fit each other."""
    algorithms = tuple(verification.algorithm.split("|"))
    secret = all(one in LEAST_SECRET for one in algorithms)
    if not secret and not all(one in PUBLIC for one in algorithms):
        raise ValueError(f"the algorithm is none of {', '.join([*LEAST_SECRET, *sorted(PUBLIC)])}, or is both kinds at once")
    if secret != (verification.key == "utf8"):
        raise ValueError("HS algorithms need the key utf8, all others a public one")
    if not secret:
        check_keys(verification)
    place = _place(verification)
    if not place:
        raise ValueError("jwt needs the credential: where its token stands, as in header:authorization or body")
    selector(place)
    named: list[tuple[tuple[str, ...], str]] = [
        ((name,), text) for name, text in (("aud", verification.audience), ("iss", verification.issuer)) if text
    ]
    for claim in verification.claims:
        names, divided, text = claim.partition("=")
        if not names or not divided:
            raise ValueError(f'the claim "{claim[:40]}" is not written name=value')
        named.append((tuple(names.split("|")), text))
    claims = tuple((names, tuple(text.split("|"))) for names, text in named)
    for _, texts in claims:
        for text in texts:
            _check_template(text)
    if is_published(verification) and not claims:
        raise ValueError("with published keys it needs an audience, an issuer or a claim: others share those keys")
    return Plan(algorithms, place == "body", claims)


def needs_secret(verification: Verification) -> bool:
    """Whether it compares anything with a secret."""
    texts = (verification.audience, verification.issuer, *verification.claims)
    return not is_published(verification) or any("{secret" in text for text in texts)


def verify(reading: Reading, check: Check) -> Refused | Wanting | None:
    """Why the sender isn't proved, or None when every token is by one of the keys, valid now, and claims what it must."""
    tokens = _tokens(reading, check.verification)
    if isinstance(tokens, Refused):
        return tokens
    for token in tokens:
        claims = _proved(token, reading, check)
        if not isinstance(claims, Mapping):
            return claims
        if refused := _times(claims, check.verification.tolerance, check.now) or _claimed(claims, reading, check):
            return refused
    return None


def _place(verification: Verification) -> str:
    return verification.credential or verification.signature


def _tokens(reading: Reading, verification: Verification) -> Sequence[bytes] | Refused:
    if scheme(verification).whole:
        body = reading.request.body
        return Refused(code="signature_malformed") if len(body) > LONGEST_TOKEN else [body.strip()]
    place = selector(_place(verification))
    values = place.values(reading)
    if not values or len(values) > MOST_TOKENS:
        return Refused(code="signature_malformed" if values else "credential_missing")
    if len(values) > 1 and any(one.kind in _SINGLE for one in place.places):
        return Refused(code="signature_ambiguous")
    prefix = verification.prefix.lower().encode()
    if any(len(value) > LONGEST_IN_HEADER or not value.lower().startswith(prefix) for value in values):
        return Refused(code="credential_malformed")
    return [value[len(prefix) :].strip() for value in values]


def _proved(token: bytes, reading: Reading, check: Check) -> Mapping[str, Any] | Refused | Wanting:
    """The claims of a token that one of the keys signed."""
    algorithms = scheme(check.verification).algorithms
    header = _object(from_base64url(token.partition(b".")[0]) or b"")
    if isinstance(header, Refused):
        return header
    algorithm, key_id = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        return Refused(code="algorithm_not_allowed")
    if not isinstance(key_id, str):
        return Refused(code="signature_malformed")
    keys = _keys(key_id, algorithm, reading, check)
    if isinstance(keys, Refused | Wanting):
        return keys
    return _payload(token, algorithm, keys)


def _payload(token: bytes, algorithm: str, keys: Sequence[Any]) -> Mapping[str, Any] | Refused:
    from jwt.exceptions import InvalidKeyError, InvalidSignatureError, PyJWTError

    reader = _reader(algorithm)
    for key in keys:
        try:
            return _object(reader.decode_complete(token, key, algorithms=[algorithm])["payload"])
        except (InvalidSignatureError, InvalidKeyError, TypeError):  # a key of another kind is no key
            continue
        except (PyJWTError, ValueError):
            return Refused(code="signature_malformed")
    return Refused(code="signature_wrong")


@lru_cache(maxsize=16)
def _reader(algorithm: str) -> Any:
    from jwt import PyJWS

    return PyJWS(algorithms=[algorithm])


def _keys(key_id: str, algorithm: str, reading: Reading, check: Check) -> Sequence[Any] | Refused | Wanting:
    if algorithm in LEAST_SECRET:
        keys = [verbatim(secret) for secret in check.secrets]
        return [key for key in keys if len(key) >= LEAST_SECRET[algorithm]] or Refused(code="secret_unusable")
    ders = keys_for(reading, check, key_id)
    return ders if isinstance(ders, Refused | Wanting) else [key_of(der) for der in ders]


def _object(payload: bytes) -> Mapping[str, Any] | Refused:
    try:
        claims = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return Refused(code="signature_malformed")
    return claims if isinstance(claims, dict) else Refused(code="signature_malformed")


def _times(claims: Mapping[str, Any], tolerance: Micros, now: Micros) -> Refused | None:
    """A token without an end is taken for as long as the tolerance after it was made."""
    found: dict[str, Micros] = {}
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > _LATEST:
            return Refused(code="timestamp_malformed")
        found[name] = round(value * SECOND)
    end = found.get("exp", found.get("iat"))
    if end is None:
        return Refused(code="timestamp_missing")
    if now > end + tolerance:
        return Refused(code="timestamp_stale")
    begins = max(found.get("nbf", now), found.get("iat", now))
    return Refused(code="timestamp_future") if now < begins - tolerance else None


def _claimed(claims: Mapping[str, Any], reading: Reading, check: Check) -> Refused | None:
    """None when all that must be claimed is, by the same secret where secrets are compared."""
    verification = check.verification
    plan = scheme(verification)
    secrets = check.secrets if any("{secret" in text for _, texts in plan.claims for text in texts) else ("",)
    wrong = Refused(code="claim_wrong")
    for secret in secrets:
        missed = next((names for names, texts in plan.claims if not _holds(claims, names, texts, reading, secret)), None)
        if missed is None:
            return None
        wrong = Refused(code={"aud": "audience_wrong", "iss": "issuer_wrong"}.get(missed[0], "claim_wrong"))
    return wrong


def _holds(claims: Mapping[str, Any], names: Sequence[str], texts: Sequence[str], reading: Reading, secret: str) -> bool:
    expected = [filled for text in texts if (filled := filled_in(text, reading, secret))]
    for name in names:
        value = claims.get(name)
        held = value if isinstance(value, list) and name == "aud" else [value]
        for one in held[:100]:
            if isinstance(one, str) and any(hmac.compare_digest(verbatim(one), verbatim(wanted)) for wanted in expected):
                return True
    return False


def filled_in(text: str, reading: Reading, secret: str) -> str:
    """What a claim must be; empty where a part of it is missing: then nothing fits."""
    before, _, after = secret.strip().partition(":")
    whole = {"secret": secret.strip(), "secret:1": before, "secret:2": after}
    filled = ""
    for index, part in enumerate(_HOLE.split(text)):
        piece = part if index % 2 == 0 else whole[part] if part in whole else _hole(part, reading)
        if index % 2 and not piece:
            return ""
        filled += piece
    return filled


def _hole(name: str, reading: Reading) -> str:
    if name == "qsh":
        return qsh(reading.request)
    pieces = template(f"{{{name}}}").pieces(Material(reading))
    return b"".join(pieces).decode("utf-8", "replace") if pieces else ""


def _check_template(text: str) -> None:
    if not text:
        raise ValueError("a claim needs a value")
    for name in _HOLE.findall(text):
        if name not in {"secret", "secret:1", "secret:2", "qsh"}:
            template(f"{{{name}}}")
    if "{" in _HOLE.sub("", text) or "}" in _HOLE.sub("", text):
        raise ValueError(f'"{text[:60]}" has a brace without its partner')
