"""What a signed request brings: its signatures, its time of sending, its id, and the bytes that were signed.

Every scheme that signs by a template reads its requests here: `hmac`, `hash_prefix` and `asymmetric`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from touchpoints.moment import Micros
from touchpoints.request import Refused
from touchpoints.selector import Reading, Selector, selector
from touchpoints.template import Material, Template, template
from touchpoints.touchpoint import Verification
from touchpoints.verifiers.encoding import ENCODINGS, Encoding
from touchpoints.verifiers.layout import LAYOUTS, SEVERAL, TAGGED, Laid
from touchpoints.verifiers.stamp import UNITS, Stamp, Unit, fresh

_LONGEST_HEADER = 8192
_MOST_SIGNATURES = 32
_MOST_NUMBERED = 100  # DocuSign's limit of keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A verification's fields, compiled once."""

    signature: Selector | None  # None: the headers are numbered
    prefix: bytes
    layout: str
    tag: bytes
    encoding: Encoding
    signed: Template
    timestamp: Selector | None
    timestamp_field: bytes  # of a csvkv header; empty: the timestamp has its own place
    unit: Unit
    message_id: Selector | None
    tolerance: Micros


class Proof(NamedTuple):
    """What a request brings. `signatures` are decoded; `material` fills the plan's template."""

    signatures: list[bytes]
    material: Material
    stamp: Stamp | None


@lru_cache(maxsize=1024)
def plan_of(verification: Verification) -> Plan:
    """The compiled form of a verification that signs by a template. Raises ValueError when its fields do not fit each other."""
    layout, _, tag = verification.layout.partition(":")
    known("encoding", verification.encoding, ENCODINGS)
    known("layout", layout, LAYOUTS)
    if (layout in TAGGED) != bool(tag):
        raise ValueError("the layouts csvkv, spacelist and numbered need a key, as in csvkv:v1, and the others have none")
    if (layout == "numbered") == bool(verification.signature):
        raise ValueError("it needs the header that holds the signature, but for numbered ones")
    place, _, unit = verification.timestamp.rpartition(":")
    if verification.timestamp:
        known("timestamp unit", unit, UNITS)
    field = place.removeprefix("sigfield:") if place.startswith("sigfield:") else ""
    if field and layout != "csvkv":
        raise ValueError("a timestamp beside the signature needs the layout csvkv")
    signed = template(verification.signed)
    _check_holes(verification, signed)
    return Plan(
        signature=selector(verification.signature) if verification.signature else None,
        prefix=verification.prefix.encode(),
        layout=layout,
        tag=tag.lower().encode() if layout == "numbered" else tag.encode(),
        encoding=ENCODINGS[verification.encoding],
        signed=signed,
        timestamp=selector(place) if place and not field else None,
        timestamp_field=field.encode(),
        unit=UNITS.get(unit, UNITS["s"]),
        message_id=selector(verification.message_id) if verification.message_id else None,
        tolerance=verification.tolerance,
    )


def known(field: str, value: str, words: Mapping[str, object]) -> None:
    """Raise ValueError in words when a field's value is none of those known."""
    if value not in words:
        raise ValueError(f'the {field} "{value[:40]}" is not one of {", ".join(words)}')


def _check_holes(verification: Verification, signed: Template) -> None:
    if not signed.holes - {"secret"}:
        raise ValueError("what is signed holds nothing of the request")
    if "ts" in signed.holes and not verification.timestamp:
        raise ValueError("{ts} is signed, but no timestamp is named")
    if "id" in signed.holes and not verification.message_id:
        raise ValueError("{id} is signed, but no message_id is named")


def read(plan: Plan, reading: Reading, size: int | None = None) -> Proof | Refused:
    """What the request brings for this plan; `size` is a signature's length in bytes where every one has the same."""
    laid = _laid(plan, reading)
    if isinstance(laid, Refused):
        return laid
    signatures = [found for text in laid.candidates if (found := plan.encoding.decode(text)) and size in {None, len(found)}]
    most = _MOST_NUMBERED if plan.signature is None else _MOST_SIGNATURES
    if len(laid.candidates) > most or not signatures:
        return Refused(code="signature_malformed")
    stamp = _stamp(plan, reading, laid)
    if isinstance(stamp, Refused):
        return stamp
    id_ = _only(plan.message_id, reading, "signature_missing") if plan.message_id else b""
    if isinstance(id_, Refused):
        return id_
    return Proof(signatures, Material(reading, stamp.text if stamp else b"", id_), stamp)


def stale(plan: Plan, proof: Proof, now: Micros) -> Refused | None:
    """Why the request was sent too long ago or lies in the future; None where it is fresh or nothing says when it was sent."""
    return fresh(proof.stamp.moment, plan.unit, plan.tolerance, now) if proof.stamp else None


def _only(place: Selector, reading: Reading, missing: str) -> bytes | Refused:
    values = place.values(reading)
    if len(values) == 1:
        return values[0]
    return Refused(code="signature_ambiguous" if values else missing)


def _laid(plan: Plan, reading: Reading) -> Laid | Refused:
    values = plan.signature.values(reading) if plan.signature else reading.numbered(plan.tag)
    if len(values) != 1 and not (values and plan.layout in SEVERAL):
        return Refused(code="signature_ambiguous" if values else "signature_missing")
    if len(values) > _MOST_NUMBERED or any(len(value) > _LONGEST_HEADER for value in values):
        return Refused(code="signature_malformed")
    split = LAYOUTS[plan.layout]
    if plan.layout == "many":
        # Mollie's libraries take a signature with its prefix and without it, in each of several.
        return Laid([one.removeprefix(plan.prefix) for value in values for one in split(value, plan.tag).candidates])
    if not all(value.startswith(plan.prefix) for value in values):
        return Refused(code="signature_malformed")
    laid = [split(value[len(plan.prefix) :], plan.tag) for value in values]
    return Laid([candidate for one in laid for candidate in one.candidates], laid[0].fields)


def _stamp(plan: Plan, reading: Reading, laid: Laid) -> Stamp | Refused | None:
    if plan.timestamp_field:
        stamps = [value for key, value in laid.fields if key == plan.timestamp_field]
        if len(stamps) != 1:
            return Refused(code="signature_ambiguous" if stamps else "timestamp_missing")
        text: bytes | Refused = stamps[0]
    elif plan.timestamp:
        text = _only(plan.timestamp, reading, "timestamp_missing")
    else:
        return None
    if isinstance(text, Refused):
        return text
    moment = plan.unit.read(text)
    return Refused(code="timestamp_malformed") if moment is None else Stamp(text, moment)
