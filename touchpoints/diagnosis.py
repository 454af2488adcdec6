"""The diagnosis: what exactly a refused request lacked, by what the touchpoint looks at. Never a secret, never a proof's value.

A finding is a problem code with the values that its words are filled with; whoever shows it makes words of the values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from touchpoints.form import Form, form_of
from touchpoints.moment import Micros
from touchpoints.provider_headers import providers_by_headers
from touchpoints.provider_settings import TEMPLATED, signs_url
from touchpoints.receive import receive
from touchpoints.request import Refused, Request, Verified, Wanting
from touchpoints.selector import Reading, selector
from touchpoints.template import template
from touchpoints.touchpoint import Touchpoint, Verification
from touchpoints.verification import brings, needs_secret, place_of, secret_problem, taken
from touchpoints.verifiers.hmac import DIGEST_SIZES
from touchpoints.verifiers.stamp import UNITS

MOST_NAMES = 5  # headers or providers told of at once

_LIKE_A_PROOF = re.compile(rb"sign|hmac|digest|token|secret|authori[sz]ation|webhook|hook|api-?key")
_NAME = re.compile(rb"[a-z0-9_.-]{1,60}")
_SPACES = " \t\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found. The values: `place` is a selector; `expected` and `came` are forms; `off` and `allowed` are
    spans; `names`, `providers`, `fingerprints` and `networks` are lists; all else is text or a number."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is looked into. `verification` is the one that decides."""

    request: Request
    reading: Reading
    touchpoint: Touchpoint
    verification: Verification
    fingerprints: Sequence[str]


def explain(
    request: Request, touchpoint: Touchpoint, code: str, *, whole: bool = True, fingerprints: Sequence[str] = ()
) -> list[Finding]:
    """Why a request was refused with `code`, by the touchpoint as it is set now; the most telling first.

    `whole`: its body is all there, so it can be judged again; when it would be accepted now, that is all there is to say.
    `fingerprints` are those of the touchpoint's secrets, for telling which ones did not fit. Never raises.
    """
    found: list[Finding] = []
    if whole:
        now = receive(request, touchpoint)
        if isinstance(now, Verified):
            return [Finding(code="diagnosis_fits_now")]
        if isinstance(now, Refused) and now.code != code:
            found, code = [Finding(code="diagnosis_changed"), Finding(code=now.code)], now.code
        elif isinstance(now, Wanting) and code == "key_unavailable":
            hosts = tuple(dict.fromkeys(urlsplit(place.url).hostname or "" for place in now.keys))
            return [Finding(code="diagnosis_keys", values={"names": hosts[:MOST_NAMES]})]
    reading = Reading(request)
    verification = _deciding(reading, touchpoint)
    case = _Case(
        request=request, reading=reading, touchpoint=touchpoint, verification=verification, fingerprints=tuple(fingerprints)
    )
    looking = _LOOKS.get(code)
    return [*found, *(looking(case) if looking else ())]


def _deciding(reading: Reading, touchpoint: Touchpoint) -> Verification:
    """Of several verifications the first whose proof is there, one that takes a secret before one that takes none."""
    every = (touchpoint.verification, *touchpoint.alternatives)
    brought = [one for one in every if brings(reading, one)]
    usable = [one for one in brought if taken(one, touchpoint.secrets) or not needs_secret(one)]
    return next(iter((*usable, *brought, *every)))


def _stamp(verification: Verification) -> str:
    """Where the time of sending stands; empty where it is part of the signature's header."""
    place = verification.timestamp.rpartition(":")[0]
    return "" if place.startswith("sigfield:") else place


def _absent(case: _Case) -> Iterator[Finding]:
    """Which place was looked at and had nothing, and what is there instead."""
    lacking = [place for place in _places(case) if not selector(place).values(case.reading)]
    if lacking:
        yield Finding(code="diagnosis_absent", values={"place": "|".join(dict.fromkeys(lacking))})
    yield from _method(case)
    if others := _others(case):
        yield Finding(code="diagnosis_other_provider", values={"providers": others})
    elif near := _near(case, lacking):
        yield Finding(code="diagnosis_near", values={"names": near})
    elif lacking:
        yield Finding(code="diagnosis_nothing_near")


def _places(case: _Case) -> Iterator[str]:
    """Every place that the proof is made of."""
    first = (case.touchpoint.verification, *case.touchpoint.alternatives)
    proofs = [place for one in first if (place := place_of(one))]
    if not any(brings(case.reading, one) for one in first):
        yield from proofs
        return
    one = case.verification
    yield from (place for place in (one.message_id, _stamp(one)) if place)
    yield from (hole for hole in _holes(one) if ":" in hole)


def _near(case: _Case, lacking: Sequence[str]) -> tuple[str, ...]:
    """Names of headers that could hold a proof."""
    looked = ",".join(lacking)
    names = dict.fromkeys(name for name, _ in case.request.headers if _LIKE_A_PROOF.search(name) and _NAME.fullmatch(name))
    return tuple(name.decode() for name in names if f"header:{name.decode()}" not in looked)[:MOST_NAMES]


def _others(case: _Case) -> tuple[str, ...]:
    """Providers that sign as this request is signed."""
    names = (header.decode("latin-1") for header, _ in case.request.headers)
    return tuple(one for one in providers_by_headers(names) if one != case.touchpoint.provider)[:MOST_NAMES]


def _method(case: _Case) -> Iterator[Finding]:
    if case.request.method not in case.touchpoint.methods:
        methods = ", ".join(case.touchpoint.methods)
        yield Finding(code="diagnosis_method", values={"method": case.request.method[:20], "methods": methods})
    elif not case.request.body:
        yield Finding(code="diagnosis_empty")


def _twice(case: _Case) -> Iterator[Finding]:
    """Which header or field was there more than once."""
    one = case.verification
    for place in dict.fromkeys((place_of(one), _stamp(one), one.message_id)):
        n = len(selector(place).values(case.reading)) if place else 0
        if n > 1:
            yield Finding(code="diagnosis_twice", values={"place": place, "n": n})


def _malformed(case: _Case) -> Iterator[Finding]:
    """The form that is expected and the one that came."""
    one = case.verification
    place = place_of(one)
    values = selector(place).values(case.reading) if place else []
    if values:
        came = form_of(values[0], prefix="Basic " if one.scheme == "basic" else one.prefix)
        yield Finding(code="diagnosis_form", values={"place": place, "expected": _expected(one), "came": came})
    if others := _others(case):
        yield Finding(code="diagnosis_other_provider", values={"providers": others})


def _expected(one: Verification) -> Form:
    layout, _, tag = one.layout.partition(":")
    tag = {"csvkv": f"{tag}=", "spacelist": f"{tag},"}.get(layout, "")
    if one.scheme == "basic":
        return Form(kind="base64", prefix="Basic ")
    if one.scheme == "jwt":
        return Form(kind="jwt", prefix=one.prefix)
    if one.scheme == "token":
        return Form(kind="text", prefix=one.prefix)
    if one.scheme != "hmac":
        return Form(kind="either" if one.encoding == "any" else one.encoding, prefix=one.prefix, tag=tag)
    size = DIGEST_SIZES.get(one.algorithm, 0)
    lengths = {"hex": 2 * size, "base64": -(-size // 3) * 4, "base64url": -(-size * 8 // 6)}
    kind = "either" if one.encoding == "any" else one.encoding
    return Form(kind=kind, length=lengths.get(kind, 0), prefix=one.prefix, tag=tag)


def _wrong(case: _Case) -> Iterator[Finding]:
    """Which secrets did not fit, and what else than the secret it may be."""
    if (trimmed := _trimmed(case)) is not None:
        yield Finding(code="diagnosis_spaces", values=trimmed)
    if case.fingerprints:
        yield Finding(code="diagnosis_secrets", values={"fingerprints": case.fingerprints, "n": len(case.fingerprints)})
    yield from _address(case)
    yield from _method(case)
    place = place_of(case.verification)
    values = selector(place).values(case.reading) if place else []
    if values and case.verification.scheme in {"token", "basic"}:
        came = form_of(values[0], prefix=case.verification.prefix)
        yield Finding(code="diagnosis_came", values={"place": place, "came": came})


def _holes(verification: Verification) -> Sequence[str]:
    """What a template of what is signed is filled with, where the scheme has one."""
    return tuple(template(verification.signed).holes) if verification.scheme in TEMPLATED else ()


def _trimmed(case: _Case) -> Mapping[str, Any] | None:
    """Whether a secret would fit without the spaces around it, which copying brings along."""
    bare = tuple(secret.strip(_SPACES) for secret in case.touchpoint.secrets)
    if bare == case.touchpoint.secrets:
        return None
    return {} if isinstance(receive(case.request, replace(case.touchpoint, secrets=bare)), Verified) else None


def _unusable(case: _Case) -> Iterator[Finding]:
    """What the form of a secret must be."""
    first, others = case.touchpoint.verification, case.touchpoint.alternatives
    found = [one for secret in case.touchpoint.secrets if (one := secret_problem(first, secret, alternatives=others))]
    yield from (Finding(code=one.code, values=one.values) for one in found[:1])


def _clock(case: _Case) -> Iterator[Finding]:
    """How far the time of sending lies from this machine's."""
    off = _off(case)
    if off is not None:
        code = "diagnosis_behind" if off > 0 else "diagnosis_ahead"
        yield Finding(code=code, values={"off": abs(off), "allowed": case.verification.tolerance})


def _off(case: _Case) -> Micros | None:
    """This machine's time less the sender's; None where the request does not tell one."""
    unit = UNITS.get(case.verification.timestamp.rpartition(":")[2])
    moment = unit.read(_stamp_text(case)) if unit else None
    return None if moment is None else case.request.received_at - moment


def _stamp_text(case: _Case) -> bytes:
    place = case.verification.timestamp.rpartition(":")[0]
    if place.startswith("sigfield:"):
        values = selector(place_of(case.verification)).values(case.reading)
        fields = [part.strip().partition(b"=") for part in (values[0] if values else b"").split(b",")[:100]]
        return next((value for key, _, value in fields if key == place.removeprefix("sigfield:").encode()), b"")
    values = selector(place).values(case.reading) if place else []
    return values[0] if values else b""


def _stamp_malformed(case: _Case) -> Iterator[Finding]:
    came = form_of(_stamp_text(case)[:200])
    place = _stamp(case.verification) or place_of(case.verification)
    expected = Form(kind="iso" if case.verification.timestamp.endswith(":iso") else "digits")
    yield Finding(code="diagnosis_form", values={"place": place, "expected": expected, "came": came})


def _network(case: _Case) -> Iterator[Finding]:
    values = {"remote": case.request.remote, "networks": case.touchpoint.networks[: MOST_NAMES * 2]}
    yield Finding(code="diagnosis_network", values=values)


def _claim(case: _Case, name: str, wanted: str) -> Iterator[Finding]:
    """What a token claims, beside what the touchpoint wants; a claim is signed, not secret."""
    place, prefix = place_of(case.verification), case.verification.prefix.encode()
    tokens = selector(place).values(case.reading)[:1] if place else [case.request.body]
    readings = [Reading(replace(case.request, body=token.removeprefix(prefix))) for token in tokens]
    came = next((selector(f"jwt:/{name}|jwt:/{name}/0").text(one)[:200] for one in readings), "")
    if came:
        yield Finding(code="diagnosis_claim", values={"name": name, "wanted": wanted, "came": came})


def _audience(case: _Case) -> Iterator[Finding]:
    return _claim(case, "aud", case.verification.audience)


def _issuer(case: _Case) -> Iterator[Finding]:
    return _claim(case, "iss", case.verification.issuer)


def _recipient(case: _Case) -> Iterator[Finding]:
    """Whom the event was meant for, where the body tells: neither a topic nor an account is a secret."""
    if case.verification.scheme == "sns" and (topic := selector("json:/TopicArn").text(case.reading)[:200]):
        yield Finding(code="diagnosis_topic", values={"came": topic})


def _address(case: _Case) -> Iterator[Finding]:
    if signs_url(case.verification):
        yield Finding(code="diagnosis_url", values={"url": case.request.url.partition("?")[0]})


_LOOKS = {
    "signature_missing": _absent,
    "credential_missing": _absent,
    "timestamp_missing": _absent,
    "signature_ambiguous": _twice,
    "signature_malformed": _malformed,
    "credential_malformed": _malformed,
    "signature_wrong": _wrong,
    "credential_wrong": _wrong,
    "secret_unusable": _unusable,
    "timestamp_stale": _clock,
    "timestamp_future": _clock,
    "timestamp_malformed": _stamp_malformed,
    "network_not_allowed": _network,
    "method_wrong": _method,
    "audience_wrong": _audience,
    "issuer_wrong": _issuer,
    "claim_wrong": _address,
    "recipient_wrong": _recipient,
}
