"""HMAC signatures of every layout the provider table knows; what differs between providers is data."""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from touchpoints.moment import SECOND, Micros
from touchpoints.request import Refused
from touchpoints.selector import Reading, Selector, selector
from touchpoints.template import Material, Template, template
from touchpoints.touchpoint import Verification
from touchpoints.verifiers.check import Check

DIGEST_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}
UNITS: dict[str, Micros] = {"s": SECOND, "ms": SECOND // 1000}

_LONGEST_HEADER = 8192
_MOST_SIGNATURES = 32
_TIMESTAMP = re.compile(rb"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a digest is written, and which bytes can be one."""

    encode: Callable[[bytes], bytes]
    shape: Callable[[int], str]  # by the digest's size
    fold: Callable[[bytes], bytes] = lambda text: text


ENCODINGS: dict[str, Encoding] = {
    "hex": Encoding(binascii.hexlify, lambda size: f"[0-9a-fA-F]{{{2 * size}}}", bytes.lower),
    "base64": Encoding(base64.b64encode, lambda size: f"[A-Za-z0-9+/]{{{-(-size * 8 // 6)}}}={{{-size % 3}}}"),
}


def _verbatim(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")


def _whsec(secret: str) -> bytes:
    text = secret.removeprefix("whsec_")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


KEYS: dict[str, Callable[[str], bytes]] = {
    "utf8": _verbatim,
    "hex": bytes.fromhex,
    "base64": lambda secret: base64.b64decode(secret, validate=True),
    "whsec": _whsec,
}


def key_of(kind: str, secret: str) -> bytes | None:
    """The key a secret stands for, by the verification's `key`; None when the secret is not of that form."""
    try:
        return KEYS[kind](secret) or None
    except ValueError:
        return None


class Signed(NamedTuple):
    """What a signature header holds: its candidates, and the other fields beside them."""

    candidates: list[bytes]
    fields: list[tuple[bytes, bytes]]


def _plain(value: bytes, _tag: bytes) -> Signed:
    return Signed([value], [])


def _csvkv(value: bytes, tag: bytes) -> Signed:
    fields = [(key.strip(), item.strip()) for key, _, item in (part.partition(b"=") for part in value.split(b","))]
    return Signed([item for key, item in fields if key == tag], fields)


def _spacelist(value: bytes, tag: bytes) -> Signed:
    return Signed([item for key, _, item in (part.partition(b",") for part in value.split(b" ")) if key == tag], [])


LAYOUTS: dict[str, Callable[[bytes, bytes], Signed]] = {"plain": _plain, "csvkv": _csvkv, "spacelist": _spacelist}


@dataclass(frozen=True, slots=True)
class Scheme:
    """A verification's fields, compiled once."""

    signature: Selector
    prefix: bytes
    split: Callable[[bytes, bytes], Signed]
    tag: bytes
    algorithm: str
    encoding: Encoding
    shape: re.Pattern[bytes]
    key: str
    signed: Template
    timestamp: Selector | None
    timestamp_field: bytes  # of a csvkv header; empty: the timestamp has its own place
    unit: Micros
    message_id: Selector | None
    tolerance: Micros


@lru_cache(maxsize=1024)
def scheme(verification: Verification) -> Scheme:
    """The compiled form of an hmac verification. Raises ValueError in words when its fields do not fit each other."""
    layout, _, tag = verification.layout.partition(":")
    _known("algorithm", verification.algorithm, DIGEST_SIZES)
    _known("encoding", verification.encoding, ENCODINGS)
    _known("layout", layout, LAYOUTS)
    _known("key", verification.key, KEYS)
    if not verification.signature:
        raise ValueError("hmac needs the header that holds the signature")
    if (layout == "plain") == bool(tag):
        raise ValueError("the layouts csvkv and spacelist need a key, as in csvkv:v1, and plain has none")
    encoding = ENCODINGS[verification.encoding]
    place, _, unit = verification.timestamp.rpartition(":")
    if verification.timestamp:
        _known("timestamp unit", unit, UNITS)
    field = place.removeprefix("sigfield:") if place.startswith("sigfield:") else ""
    signed = template(verification.signed)
    _check_holes(verification, signed)
    return Scheme(
        signature=selector(verification.signature),
        prefix=verification.prefix.encode(),
        split=LAYOUTS[layout],
        tag=tag.encode(),
        algorithm=verification.algorithm,
        encoding=encoding,
        shape=re.compile(encoding.shape(DIGEST_SIZES[verification.algorithm]).encode()),
        key=verification.key,
        signed=signed,
        timestamp=selector(place) if place and not field else None,
        timestamp_field=field.encode(),
        unit=UNITS.get(unit, SECOND),
        message_id=selector(verification.message_id) if verification.message_id else None,
        tolerance=verification.tolerance,
    )


def _known(field: str, value: str, known: Mapping[str, object]) -> None:
    if value not in known:
        raise ValueError(f'the {field} "{value[:40]}" is not one of {", ".join(known)}')


def _check_holes(verification: Verification, signed: Template) -> None:
    if not signed.holes:
        raise ValueError("what is signed holds nothing of the request")
    if ("ts" in signed.holes) and not verification.timestamp:
        raise ValueError("{ts} is signed, but no timestamp is named")
    if ("id" in signed.holes) and not verification.message_id:
        raise ValueError("{id} is signed, but no message_id is named")


def digest(key: bytes, pieces: list[bytes], algorithm: str) -> bytes:
    """The HMAC over the pieces."""
    if len(pieces) == 1:
        return hmac.digest(key, pieces[0], algorithm)
    running = hmac.new(key, pieces[0], algorithm)
    for piece in pieces[1:]:
        running.update(piece)
    return running.digest()


def verify(reading: Reading, check: Check) -> Refused | None:
    """Why the sender isn't proved, or None when one of the signatures fits one of the secrets and the timestamp is fresh."""
    plan = scheme(check.verification)
    signed = _read_signature(plan, reading)
    if isinstance(signed, Refused):
        return signed
    ts = _read_timestamp(plan, reading, signed)
    if isinstance(ts, Refused):
        return ts
    id_ = _only(plan.message_id, reading, "signature_missing")
    if isinstance(id_, Refused):
        return id_
    pieces = plan.signed.pieces(Material(reading, ts, id_))
    if pieces is None:
        return Refused(code="signature_missing")
    return _compare(plan, check.secrets, signed.candidates, pieces) or _check_fresh(plan, ts, check.now)


def _only(place: Selector | None, reading: Reading, missing: str) -> bytes | Refused:
    """The single value at a place; empty bytes when there is no place."""
    if place is None:
        return b""
    values = place.values(reading)
    if not values:
        return Refused(code=missing)
    return values[0] if len(values) == 1 else Refused(code="signature_ambiguous")


def _read_signature(plan: Scheme, reading: Reading) -> Signed | Refused:
    value = _only(plan.signature, reading, "signature_missing")
    if isinstance(value, Refused):
        return value
    if len(value) > _LONGEST_HEADER or not value.startswith(plan.prefix):
        return Refused(code="signature_malformed")
    candidates, fields = plan.split(value[len(plan.prefix) :], plan.tag)
    shaped = [plan.encoding.fold(candidate) for candidate in candidates if plan.shape.fullmatch(candidate)]
    if len(candidates) > _MOST_SIGNATURES or not shaped:
        return Refused(code="signature_malformed")
    return Signed(shaped, fields)


def _read_timestamp(plan: Scheme, reading: Reading, signed: Signed) -> bytes | Refused:
    if plan.timestamp_field:
        stamps = [value for key, value in signed.fields if key == plan.timestamp_field]
        if len(stamps) != 1:
            return Refused(code="signature_ambiguous" if stamps else "timestamp_missing")
        ts: bytes | Refused = stamps[0]
    else:
        ts = _only(plan.timestamp, reading, "timestamp_missing")
    if isinstance(ts, Refused) or (plan.timestamp is None and not plan.timestamp_field):
        return ts
    return ts if _TIMESTAMP.fullmatch(ts) else Refused(code="timestamp_malformed")


def _compare(plan: Scheme, secrets: tuple[str, ...], candidates: list[bytes], pieces: list[bytes]) -> Refused | None:
    usable = False
    for secret in secrets:
        key = key_of(plan.key, secret)
        if key is None:
            continue
        usable = True
        expected = plan.encoding.encode(digest(key, pieces, plan.algorithm))
        for candidate in candidates:
            if hmac.compare_digest(expected, candidate):
                return None
    return Refused(code="signature_wrong" if usable else "secret_unusable")


def _check_fresh(plan: Scheme, ts: bytes, now: Micros) -> Refused | None:
    """Stale and future timestamps, in both directions although some vendors' own libraries only look back."""
    if not ts:
        return None
    age = now - int(ts) * plan.unit
    if age > plan.tolerance + plan.unit:
        return Refused(code="timestamp_stale")
    return Refused(code="timestamp_future") if age < -plan.tolerance else None
